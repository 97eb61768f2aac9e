/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Timers, on the thread that adds them.
 *
 * The server removes a module's timers when it leaves the thread.  A callback
 * on the control thread that takes longer than 100 ms is logged with the
 * module's name.
 */
#ifndef RELAY_TIMER_H
#define RELAY_TIMER_H

#include <stdint.h>

struct relay_ctx;
struct relay_timer;

/*
 * Returns the milliseconds to the next call, 1 or more; 0 ends the timer, which
 * must not be used afterwards; less than 0 says that it failed: the delay is
 * then the last one that was asked for, doubled with each failure in a row, at
 * most sixteenfold, and each failure counts in the module's health.
 */
typedef int64_t relay_timer_fn(struct relay_ctx *cx, void *arg);

/* First call in `first_ms`, 0 or more.  [*]  NULL without memory. */
struct relay_timer *relay_timer_add(
	struct relay_ctx *cx, int64_t first_ms, relay_timer_fn *fn, void *arg);
/* Accepts NULL.  Same thread.  Not from the timer's own callback: return 0. */
void relay_timer_del(struct relay_timer *timer);

#endif
