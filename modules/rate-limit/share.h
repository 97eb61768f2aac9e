/* SPDX-License-Identifier: MPL-2.0 */

/*
 * share.h - a rate that many sessions of many threads share evenly.
 *
 * Time is cut into ticks.  In each tick every session that takes part gets the
 * same quantum (times its weight) of what the pool has, and gives back what it
 * left of the last one.  Whoever wants less than its quantum so raises that of
 * the others: this is max-min fairness, without anybody having to guess what a
 * session wants.  Between ticks a session spends its own quantum, which no
 * other thread touches.
 *
 * A pool may be a child of another: then it is one of those that share the
 * other one's rate, with the shares that it was given, as long as anybody takes
 * part in it.  So devices share the global rate, and a device's sessions what
 * their device gets.
 *
 * Amounts are in milli-bytes: bytes per second times milliseconds, exactly.
 * Time is passed in; only the pools are shared, and they are atomics.
 */
#ifndef SHARE_H
#define SHARE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHARE_TICK_MS 10
/*
 * Who was refused waits until this much is there, so that data does not go out
 * in crumbs, but no longer than that: neither can be seen at 100 ms.
 */
#define SHARE_PIECE    16384
#define SHARE_PIECE_MS 40

struct share_pool {
	_Atomic int64_t rate;     /* bytes per second; 0: no limit */
	_Atomic int64_t burst_ms; /* how much of idle time may be made up for */
	_Atomic int64_t level;    /* to be given out; below 0: was lent */
	_Atomic int64_t filled_ms;
	_Atomic int64_t tick;    /* of the present quantum */
	_Atomic int64_t quantum; /* of a session of weight 1, in this tick */
	_Atomic int64_t weight;  /* of all who take part */
	/* Of a child; it has no rate of its own. */
	struct share_pool *parent; /* borrowed; NULL: it is none */
	_Atomic int64_t shares;    /* that it has when it takes part */
	_Atomic int64_t counted;   /* of these in the parent's weight */
};

/* A wait for enough to be there; ended by the first grant. */
struct share_wait {
	bool on;
	int64_t since_ms;
};

/* A session's part in a pool. */
struct share_part {
	struct share_pool *pool; /* borrowed; NULL: none */
	int64_t allowance;       /* below 0: more went than was granted */
	int64_t tick;            /* when it got its last quantum */
	struct share_wait wait;
};

static inline int64_t share_tick(int64_t now_ms)
{
	return now_ms / SHARE_TICK_MS;
}

/* Full, as after a long silence. */
void share_pool_init(struct share_pool *pool, int64_t rate, int64_t burst_ms,
	int64_t now_ms);
/* Empty, and nobody takes part. */
void share_child_init(struct share_pool *pool, struct share_pool *parent,
	int64_t shares, int64_t now_ms);
/* Any thread, at any time. */
void share_child_set(struct share_pool *pool, int64_t shares);
/* Any thread, at any time. */
void share_pool_set(struct share_pool *pool, int64_t rate, int64_t burst_ms);

/*
 * Takes part from now on.  The first allowance is lent, within bounds, when the
 * pool is empty: a session with little to say need not wait for the next tick.
 */
void share_enter(struct share_part *part, int64_t weight, int64_t now_ms);
/* The tick's give and take; does nothing if that was done. */
void share_turn(struct share_part *part, int64_t weight, int64_t now_ms);
/* Takes part no more, and gives back what it has. */
void share_leave(struct share_part *part, int64_t weight);

/* Of len bytes, how many may go; 0: *wait_ms says when to ask again. */
size_t share_grant(struct share_part *part, int64_t weight, size_t len,
	int64_t now_ms, int64_t *wait_ms);

/* The waiting that both kinds of limit have in common: of `have` milli-bytes.
 */
size_t share_wait_grant(
	struct share_wait *wait, int64_t have, size_t len, int64_t now_ms);

#endif
