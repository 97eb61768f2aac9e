/* SPDX-License-Identifier: MPL-2.0 */

/*
 * shaper.h - how much of a session may go now, by all limits together.
 *
 * A session has up to three parts in pools (the global one and its two
 * devices') and a bucket of its own.  Time is passed in.
 */
#ifndef SHAPER_H
#define SHAPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "share.h"

enum { PART_GLOBAL, PART_DEVICE, PART_OTHER_DEVICE, SHAPER_PARTS };

/* Which limit held a session back. */
enum shaper_limit { LIMIT_GLOBAL, LIMIT_DEVICE, LIMIT_SESSION, SHAPER_LIMITS };

/* Of one worker. */
struct shaper_round {
	struct shaper *first; /* the list of those who take part */
	int64_t tick;         /* that it has been through */
};

/* Of one session. */
struct shaper {
	struct shaper *next, *prev; /* in the round's list, while `in` */
	struct share_part part[SHAPER_PARTS];
	int64_t weight;
	int64_t rate; /* of its own, bytes per second; 0: no limit */
	int64_t burst_ms;
	int64_t tokens; /* of that, milli-bytes */
	int64_t filled_ms;
	struct share_wait wait;
	int64_t queued_until_ms[2]; /* when a direction will have asked again */
	int64_t lead; /* bytes that direction 0 is ahead of direction 1 */
	bool in;
	bool asked; /* since the last tick */
};

/* With parts and rates set: a full bucket. */
void shaper_begin(struct shaper *shaper, int64_t now_ms);
/* A new rate of its own, while it runs. */
void shaper_rate(struct shaper *shaper, int64_t rate, int64_t burst_ms);
/* Out of the round; before its parts or its weight change, and at its end. */
void shaper_leave(struct shaper *shaper, struct shaper_round *round);

/*
 * How many of len bytes from side 0 or 1 may go.  0: ask again in *wait_ms;
 * *limit says what is short.
 */
size_t shaper_grant(struct shaper *shaper, struct shaper_round *round, int from,
	size_t len, int64_t now_ms, int64_t *wait_ms, enum shaper_limit *limit);
/* So many went. */
void shaper_sent(struct shaper *shaper, int from, size_t len);

/* The tick's give and take for all who take part; who asked for nothing since
 * the last one leaves.  Cheap when it was done. */
void shaper_round_turn(struct shaper_round *round, int64_t now_ms);

#endif
