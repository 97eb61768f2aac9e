/* SPDX-License-Identifier: MPL-2.0 */

/*
 * share.h - a rate that sessions of all threads share evenly.
 *
 * Time is divided into ticks.  In each tick every active session gets the same
 * quantum (times its weight) from the pool, and returns what is left of the
 * last one.  A session that needs less than its quantum thus raises the quantum
 * of the others.  This gives max-min fairness without predicting the demand of
 * sessions.  Between ticks a session spends its own quantum, which no other
 * thread touches.
 *
 * A pool may be a child of another pool.  While it has active sessions, it
 * takes part in its parent's rate with its shares.  So sources share the global
 * rate, the devices of a source share its part, and the sessions of a device
 * the device's part.  A child that has children itself saves up what they leave
 * for its own burst_ms.
 *
 * Amounts are in milli-bytes (bytes per second times milliseconds), so they are
 * exact.  Time is passed in.  Only pools are shared by threads; their members
 * are atomic.
 */
#ifndef SHARE_H
#define SHARE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHARE_TICK_MS 10
/*
 * A session that was refused waits until this much is available, so that it
 * does not send tiny pieces, but at most this long.  Neither is noticeable at a
 * scale of 100 ms.
 */
#define SHARE_PIECE    16384
#define SHARE_PIECE_MS 40

struct share_pool {
	_Atomic int64_t rate;     /* bytes per second; 0: no limit */
	_Atomic int64_t burst_ms; /* for how long unused rate is saved up */
	_Atomic int64_t level;    /* available; negative: lent out */
	_Atomic int64_t filled_ms;
	_Atomic int64_t tick;    /* of the current quantum */
	_Atomic int64_t quantum; /* for weight 1, in this tick */
	_Atomic int64_t weight;  /* sum of all active members */
	/* Only for a child, which has no rate of its own. */
	struct share_pool *parent; /* borrowed; NULL: not a child */
	_Atomic int64_t shares;    /* its weight in the parent while active */
	_Atomic int64_t counted;   /* shares currently in the parent's weight */
};

/* Whether a session waits until the pool has enough, and since when.  The wait
 * ends with the first grant. */
struct share_wait {
	bool on;
	int64_t since_ms;
};

/* A session's part in a pool. */
struct share_part {
	struct share_pool *pool; /* borrowed; NULL: none */
	int64_t allowance;       /* negative: more was sent than granted */
	int64_t tick;            /* of its last quantum */
	struct share_wait wait;
};

static inline int64_t share_tick(int64_t now_ms)
{
	return now_ms / SHARE_TICK_MS;
}

/* Initializes a full pool, as after a long idle time. */
void share_pool_init(struct share_pool *pool, int64_t rate, int64_t burst_ms,
	int64_t now_ms);
/* Initializes a child: empty, with no active session. */
void share_child_init(struct share_pool *pool, struct share_pool *parent,
	int64_t shares, int64_t now_ms);
/* Any thread, at any time. */
void share_child_set(struct share_pool *pool, int64_t shares);
/* Any thread, at any time. */
void share_pool_set(struct share_pool *pool, int64_t rate, int64_t burst_ms);

/*
 * Makes the part active.  If the pool is empty, the first allowance is lent,
 * within limits, so that a session with little data need not wait for the next
 * tick.
 */
void share_enter(struct share_part *part, int64_t weight, int64_t now_ms);
/* Settles a tick; does nothing if that was done already. */
void share_turn(struct share_part *part, int64_t weight, int64_t now_ms);
/* Makes the part inactive and returns its allowance. */
void share_leave(struct share_part *part, int64_t weight);

/* How many of len bytes may be forwarded; 0: ask again in *wait_ms. */
size_t share_grant(struct share_part *part, int64_t weight, size_t len,
	int64_t now_ms, int64_t *wait_ms);

/*
 * The waiting that both kinds of limits share, with `have` milli-bytes
 * available.
 */
size_t share_wait_grant(
	struct share_wait *wait, int64_t have, size_t len, int64_t now_ms);

#endif
