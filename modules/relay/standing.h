/* SPDX-License-Identifier: MPL-2.0 */

/*
 * standing.h - who is known to come to something, and who to nothing.
 *
 * Two devices are friends when a session between them has lasted so long that
 * either of them must have wanted it: Syncthing ends one with a stranger after
 * 30 s at most.  A source is idle when a device was kept busy for nothing by an
 * invitation that came from there.  Both are forgotten after some time, and
 * the oldest go first where there are too many.  Not locked; times are
 * milliseconds of the monotonic clock.
 */
#ifndef STANDING_H
#define STANDING_H

#include <stdbool.h>
#include <stdint.h>

#include "id_hash.h"

/* From how long a session has lasted it counts. */
#define STANDING_FRIEND_MS 35000
/* How long either is remembered. */
#define STANDING_FRIEND_FOR_MS 86400000
#define STANDING_IDLE_FOR_MS   3600000
/* How many of either. */
#define STANDING_MOST 32768

struct memory; /* of one key */

struct memories {
	struct memory *by_key;       /* uthash */
	struct memory *first, *last; /* in the order they were refreshed */
	unsigned count;
};

struct standing {
	struct memories friends, idle;
};

/* The better, the lower. */
enum standing_rank { STANDING_FRIEND, STANDING_UNKNOWN, STANDING_IDLE };

void standing_finish(struct standing *standing);

/* Of a device that asks for another, from a source. */
enum standing_rank standing_rank(const struct standing *standing,
	const uint8_t asker[ID_LEN], const uint8_t target[ID_LEN],
	const uint8_t source[ID_LEN], int64_t now_ms);

/* A session between the two has ended that lasted long. */
void standing_praise(struct standing *standing, const uint8_t one[ID_LEN],
	const uint8_t other[ID_LEN], int64_t now_ms);
/* A device was kept busy for nothing from there. */
void standing_blame(struct standing *standing, const uint8_t source[ID_LEN],
	int64_t now_ms);

#endif
