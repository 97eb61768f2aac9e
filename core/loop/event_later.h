/* SPDX-License-Identifier: MPL-2.0 */

/*
 * A timer of a loop that must not be lost.
 */
#ifndef EVENT_LATER_H
#define EVENT_LATER_H

struct event;
struct timeval;

/*
 * event_add(3) with a timeout.  If libevent has no memory for it, the event is
 * active at once instead.  A callback that sets the timer again then makes the
 * loop turn without a pause until there is memory, but what the timer is for
 * goes on, and so do the loop's other events (loop.c limits how many callbacks
 * run between two looks at the sockets); one that ends a wait ends it early.
 * Thread: that of the loop.
 */
void event_later(struct event *event, const struct timeval *in);

#endif
