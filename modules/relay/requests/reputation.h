/* SPDX-License-Identifier: MPL-2.0 */

/*
 * reputation.h - remembers pairs with successful sessions, and sources of
 * useless requests.
 *
 * Two devices are friends if a session between them lasted so long that both
 * must have wanted it: Syncthing ends a session with an unknown device after at
 * most 30 s.  A source is idle if sessions that it requested kept devices busy
 * in vain for some seconds in all.  Both are forgotten after some time, and the
 * oldest are dropped if there are too many.  The caller locks; times are
 * milliseconds of the monotonic clock.
 */
#ifndef REPUTATION_H
#define REPUTATION_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/id_hash.h"

/* The least duration of a session that counts. */
#define REPUTATION_FRIEND_MS 35000
/* After so much time wasted within REPUTATION_IDLE_FOR_MS a source is idle. */
#define REPUTATION_WASTE_MS 3000
/* How long each kind is remembered. */
#define REPUTATION_FRIEND_FOR_MS 86400000
#define REPUTATION_IDLE_FOR_MS   3600000
/* Most entries of each kind. */
#define REPUTATION_MOST 32768

struct memory; /* of one key */

struct memories {
	struct memory *by_key; /* uthash */
	struct memory *first;  /* utlist, in the order of their last refresh */
	unsigned count;
};

struct reputation {
	struct memories friends, idle;
};

/* Lower is better. */
enum reputation_rank { REPUTATION_FRIEND, REPUTATION_UNKNOWN, REPUTATION_IDLE };

void reputation_finish(struct reputation *reputation);

/* The rank of a request for a device from a source. */
enum reputation_rank reputation_rank(const struct reputation *reputation,
	const uint8_t asker[ID_LEN], const uint8_t target[ID_LEN],
	const uint8_t source[ID_LEN], int64_t now_ms);

/* A long session between the two has ended. */
void reputation_praise(struct reputation *reputation, const uint8_t one[ID_LEN],
	const uint8_t other[ID_LEN], int64_t now_ms);
/* A session that this source requested kept a device busy in vain for so long.
 */
void reputation_blame(struct reputation *reputation,
	const uint8_t source[ID_LEN], int64_t wasted_ms, int64_t now_ms);

#endif
