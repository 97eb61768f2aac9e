/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Which sessions move to which worker, by what they cost.  Pure: no system
 * call, no clock.
 *
 * Sessions are gathered on as few workers as carry them with headroom, since
 * workers that sleep and wake for a few messages each cost more than one that
 * is busy; and they are spread when a worker has no headroom left.  Small
 * messages do not share a worker with bulk where another one can take them.
 * Between the loads at which sessions are gathered and spread is a wide gap,
 * and an order follows only what was so for a while: so a steady load moves
 * nothing.
 */
#ifndef PLACEMENT_H
#define PLACEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How often it is decided; each load is that of the time since. */
#define PLACEMENT_TICK_MS 100
#define PLACEMENT_WORKERS 256

/* Loads are in thousandths of a CPU. */
enum placement_kind { PLACEMENT_SMALL, PLACEMENT_BULK, PLACEMENT_KINDS };

struct placement_load {
	unsigned busy;    /* processor time of the worker's thread */
	unsigned late_us; /* how long what is ready waits for its turn */
	/* What sessions that may move take of `busy`, and how many take any. */
	unsigned taken[PLACEMENT_KINDS];
	unsigned count[PLACEMENT_KINDS];
};

/* Zero at the start. */
struct placement {
	unsigned above[PLACEMENT_WORKERS]; /* ticks in a row without headroom */
	unsigned mixed[PLACEMENT_WORKERS]; /* ticks in a row with both kinds */
	unsigned sparse;      /* ticks in a row with one worker too many */
	unsigned settling;    /* ticks until the last order shows */
	int64_t gathered_ms;  /* when that was last done; 0: never */
	int64_t not_until_ms; /* nothing is gathered before */
	int64_t patience_ms;  /* how long after it has proven wrong */
};

/* Sessions of one kind that together take about `amount` move; none that takes
 * more than `most`. */
struct placement_order {
	unsigned from, to;
	enum placement_kind kind;
	unsigned amount, most;
};

/*
 * Call it every PLACEMENT_TICK_MS.  `spare` is how much processor time nobody
 * in the machine uses.  False: nothing is to move.
 */
bool placement_decide(struct placement *placement,
	const struct placement_load *loads, unsigned workers, unsigned spare,
	int64_t now_ms, struct placement_order *order);

/* What a session takes of its worker's load, where turns cost something, too:
 * only the ratio to the costs of others counts. */
uint64_t placement_cost(uint64_t turns, uint64_t bytes);
enum placement_kind placement_kind(uint64_t turns, uint64_t bytes);

/* Which sessions an order moves, one after the other: how much is left. */
struct placement_pick {
	unsigned left;
	unsigned picked;
};
/* No order moves more sessions. */
#define PLACEMENT_PICK_MOST 64
/* Whether one that takes `load` goes, too. */
bool placement_picks(struct placement_pick *pick,
	const struct placement_order *order, unsigned load);

#endif
