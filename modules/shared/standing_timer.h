/* SPDX-License-Identifier: MPL-2.0 */

/*
 * standing_timer.h - a timer of a loop that can be set without memory, because
 * it is always pending.
 *
 * Thread: that of the loop.
 */
#ifndef STANDING_TIMER_H
#define STANDING_TIMER_H

#include <stdint.h>

struct event;
struct event_base;

typedef void standing_timer_fn(void *arg);

struct standing_timer {
	struct event *event; /* owned */
	standing_timer_fn *due;
	void *arg;
};

/* Not set.  0, or -1 without memory; then it must be closed, too. */
int standing_timer_open(struct standing_timer *timer, struct event_base *base,
	standing_timer_fn *due, void *arg);
/* Calls due(arg) once, after that time; below 0: after a day, so due() looks
 * whether there is anything to do. */
void standing_timer_set(struct standing_timer *timer, int64_t ms);
/* It may be all zero. */
void standing_timer_close(struct standing_timer *timer);

#endif
