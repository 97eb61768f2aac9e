/* SPDX-License-Identifier: MPL-2.0 */

/*
 * wheel.h - a hashed timing wheel: very many timeouts, each cheap to move.
 *
 * Time is in ms of a monotonic clock, 0 or above, and passed in.  Adding and
 * deleting take constant time, for timeouts of any length; an entry is looked
 * at once per turn of the wheel (65.5 s) until it is due.
 *
 * A wheel and its entries belong to one thread.  Nothing is allocated and
 * nothing fails.
 */
#ifndef RELAY_WHEEL_H
#define RELAY_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

#define WHEEL_SLOTS   512
#define WHEEL_SLOT_MS 128

/*
 * Lies inside what times out and is owned with it.  Zeroed before its first
 * use; deleted from the wheel before its memory goes.
 */
struct wheel_entry {
	struct wheel_entry *next, *prev; /* borrowed; NULL when not linked */
	int64_t at_ms;                   /* as given to wheel_add */
};

/* Must not be moved in memory once it is initialised. */
struct wheel {
	struct wheel_entry slots[WHEEL_SLOTS]; /* list heads */
	struct wheel_entry due; /* list head, used by wheel_advance */
	uint64_t bitmap[WHEEL_SLOTS / 64]; /* slots that are not empty */
	int64_t now_ms;                    /* of the last wheel_advance */
	unsigned count;                    /* linked entries */
};

/* Makes w an empty wheel whose time is now_ms. */
void wheel_init(struct wheel *w, int64_t now_ms);

/*
 * Makes e due at at_ms, in place of the time it was due before, if any.  A
 * time that has passed is due at the next slot end.  INT64_MAX is allowed and
 * never comes.
 */
void wheel_add(struct wheel *w, struct wheel_entry *e, int64_t at_ms);

/* Takes e out of the wheel; does nothing when it is not linked. */
void wheel_del(struct wheel *w, struct wheel_entry *e);

/* Whether e is in a wheel: added, and since then neither due nor deleted. */
bool wheel_entry_linked(const struct wheel_entry *e);

/*
 * When to call wheel_advance next, or -1 if there are no entries.  That is the
 * end of the first slot that holds any, so that whoever comes then is at most
 * WHEEL_SLOT_MS late, for all entries of the slot at once.  They may belong to
 * a later turn; then that call finds nothing due.  Always after now_ms of the
 * last wheel_advance.
 */
int64_t wheel_next_ms(const struct wheel *w);

/*
 * Sets the time to now_ms and calls due(entry, arg) for all entries with
 * at_ms <= now_ms, in no promised order, each of them unlinked before.  A time
 * before the last one counts as the last one.  However far time jumps, each
 * slot is visited once.
 *
 * due may add and delete any entry, including others that are due, which are
 * then not called, and may free its own.  What it adds is not called before
 * the next wheel_advance, even when its time has passed.  due must not call
 * wheel_advance or wheel_init on the same wheel.
 */
void wheel_advance(struct wheel *w, int64_t now_ms,
	void (*due)(struct wheel_entry *e, void *arg), void *arg);

#endif
