/* SPDX-License-Identifier: MPL-2.0 */

/*
 * A hashed timing wheel: very many timeouts, each cheap to change.
 *
 * Times are in ms of a monotonic clock, 0 or above; the caller passes them in.
 * Adding and deleting take constant time, for timeouts of any length.  An entry
 * is visited once per turn of the wheel (65.5 s) until it is due.
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
 * A member of the object that times out; owned by it.  Must be zeroed before
 * its first use, and deleted from the wheel before its memory is freed.
 */
struct wheel_entry {
	struct wheel_entry *next, *prev; /* borrowed; NULL when not linked */
	int64_t at_ms;                   /* as given to wheel_add */
};

/* Must not be moved in memory once it is initialized. */
struct wheel {
	struct wheel_entry slots[WHEEL_SLOTS]; /* list heads */
	struct wheel_entry due; /* list head, used by wheel_advance */
	uint64_t bitmap[WHEEL_SLOTS / 64]; /* a bit for each nonempty slot */
	int64_t now_ms;                    /* of the last wheel_advance */
	unsigned count;                    /* of linked entries */
};

/* Makes w an empty wheel whose time is now_ms. */
void wheel_init(struct wheel *w, int64_t now_ms);

/*
 * Makes e due at at_ms, which replaces the time it was due before, if any.  An
 * entry whose time has passed is due at the end of the current slot.  INT64_MAX
 * is allowed and means never.
 */
void wheel_add(struct wheel *w, struct wheel_entry *e, int64_t at_ms);

/* Removes e from the wheel; does nothing if it is not linked. */
void wheel_del(struct wheel *w, struct wheel_entry *e);

/* Whether e is in a wheel: it was added, and since then was neither due nor
 * deleted. */
bool wheel_entry_linked(const struct wheel_entry *e);

/*
 * The time at which to call wheel_advance next, or -1 if there are no entries.
 * It is the end of the first nonempty slot, so that one call serves all entries
 * of the slot, at most WHEEL_SLOT_MS late.  The entries may belong to a later
 * turn; then the call finds nothing due.  The time is always later than now_ms
 * of the last wheel_advance.
 */
int64_t wheel_next_ms(const struct wheel *w);

/*
 * Sets the time to now_ms and calls due(entry, arg) for all entries with
 * at_ms <= now_ms, in unspecified order.  Each entry is unlinked before its
 * call.  A now_ms before the last one counts as the last one.  Each slot is
 * visited at most once, even if the time jumps far ahead.
 *
 * due may free its own entry, and may add and delete any entry.  A due entry
 * that it deletes is no longer called.  An entry that it adds is called by the
 * next wheel_advance at the earliest, even if its time has passed.  due must
 * not call wheel_advance or wheel_init on the same wheel.
 */
void wheel_advance(struct wheel *w, int64_t now_ms,
	void (*due)(struct wheel_entry *e, void *arg), void *arg);

#endif
