/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Time limits on what a worker owns, kept in a timer wheel.
 *
 * All of this runs on the worker's own thread, or while it has none.
 */
#ifndef DEADLINES_H
#define DEADLINES_H

#include <stdint.h>

#include "base/wheel.h"

struct worker;

/* A time limit.  Embedded in what it limits. */
struct deadline {
	struct wheel_entry entry; /* first: an entry is a deadline */
	void (*due)(struct deadline *self);
};

/* Sets or moves it.  `due` is called at most 0.2 s late, after what had come by
 * then was handled.  After a stall of the thread it is called a second later,
 * but only once in 10 s: a loop that is always late does not end later still.
 */
void deadline_set(
	struct worker *worker, struct deadline *deadline, int64_t at_ms);
/* Clears it; does nothing if it is not set. */
void deadline_clear(struct worker *worker, struct deadline *deadline);

/* 0, or -1 without memory. */
int deadlines_init(struct worker *worker);
/* Calls `due` of every deadline that is set, as if its time had come. */
void deadlines_expire(struct worker *worker);
/* No deadline may be set afterwards.  Also if deadlines_init() has failed. */
void deadlines_finish(struct worker *worker);

#endif
