/* SPDX-License-Identifier: MPL-2.0 */

/*
 * shaper.h - how many bytes of a session all limits together allow now.
 *
 * A session has a part in up to three pools (the global one and those of its
 * two devices) and its own token bucket.  Time is passed in.
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
	struct shaper *first; /* utlist of active sessions */
	int64_t tick;         /* the last tick that was handled */
};

/* Of one session. */
struct shaper {
	struct shaper *next, *prev; /* in the round's list if `in` */
	struct share_part part[SHAPER_PARTS];
	int64_t weight;
	int64_t rate; /* per-session rate, bytes per second; 0: no limit */
	int64_t burst_ms;
	int64_t tokens; /* of that rate, milli-bytes */
	int64_t filled_ms;
	struct share_wait wait;
	int64_t queued_until_ms[2]; /* a direction asks again before this */
	int64_t lead; /* bytes by which direction 0 is ahead of direction 1 */
	bool in;
	bool asked; /* whether it asked since the last tick */
};

/* Call it with parts and rates set; fills the bucket. */
void shaper_begin(struct shaper *shaper, int64_t now_ms);
/* Changes the per-session rate. */
void shaper_rate(struct shaper *shaper, int64_t rate, int64_t burst_ms);
/*
 * Removes it from the round: before its parts or weight change, and at its end.
 */
void shaper_leave(struct shaper *shaper, struct shaper_round *round);

/*
 * The session moves from one worker to another: it keeps what it has, and its
 * weight in the pools.
 */
void shaper_depart(struct shaper *shaper, struct shaper_round *round);
void shaper_arrive(struct shaper *shaper, struct shaper_round *round);

/*
 * How many of len bytes from side 0 or 1 may be forwarded.  0: ask again in
 * *wait_ms; *limit is the limit that was reached.
 */
size_t shaper_grant(struct shaper *shaper, struct shaper_round *round, int from,
	size_t len, int64_t now_ms, int64_t *wait_ms, enum shaper_limit *limit);
/* So many bytes were forwarded. */
void shaper_sent(struct shaper *shaper, int from, size_t len);

/*
 * Handles a tick: settles all active sessions, and removes those that did not
 * ask since the last tick.  Cheap if the tick was handled already.
 */
void shaper_round_turn(struct shaper_round *round, int64_t now_ms);

#endif
