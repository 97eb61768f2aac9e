/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Deferred work: what an event handler leaves for the next iteration of the
 * loop, so that a long task does not keep other sockets waiting.
 */
#ifndef DEFERRED_H
#define DEFERRED_H

#include <stdbool.h>

struct worker;

/* Does one kind of deferred work.  Returns whether it must be called again in
 * the next iteration even if deferred_arm() is not called. */
typedef bool deferred_fn(struct worker *worker);

/* The kinds, in the order in which they are called; the last one is NULL. */
struct deferred_work {
	deferred_fn *fn[4];
};

/* Own thread.  Schedules the work for the next iteration; a second call before
 * that changes nothing. */
void deferred_arm(struct worker *worker);

/* `work` is borrowed.  0, or -1 without memory. */
int deferred_init(struct worker *worker, const struct deferred_work *work);
/* Also if deferred_init() has failed. */
void deferred_finish(struct worker *worker);

#endif
