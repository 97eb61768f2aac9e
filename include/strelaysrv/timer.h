/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Timers.  A timer runs on the thread that added it.
 *
 * The server removes a module's timers when the module is stopped on that
 * thread.  A callback on the control thread that takes longer than 100 ms is
 * logged with the module's name.
 */
#ifndef RELAY_TIMER_H
#define RELAY_TIMER_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct relay_ctx;
struct relay_timer;

/*
 * Returns the milliseconds until the next call, 1 or more.  0 ends the timer,
 * which must not be used afterwards.  A negative value reports a failure: the
 * last returned delay is then doubled with each consecutive failure, up to
 * sixteen times, and the failure is counted in the module's metrics.
 */
typedef int64_t relay_timer_fn(struct relay_ctx *cx, void *arg);

/* The first call is in `first_ms`, 0 or more.  [*] NULL if memory is short. */
struct relay_timer *relay_timer_add(
	struct relay_ctx *cx, int64_t first_ms, relay_timer_fn *fn, void *arg);
/*
 * NULL is allowed.  Same thread.  In the timer's own callback, return 0
 * instead.
 */
void relay_timer_del(struct relay_timer *timer);

#ifdef __cplusplus
}
#endif

#endif
