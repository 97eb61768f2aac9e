/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Notices threads that hang: a thread of its own looks at every loop twice a
 * second.
 *
 * A loop hangs when its timer (loop_lag.h) has not fired for HANG_MS.  What a
 * hanging worker serves stands still; a control thread that hangs answers no
 * HTTP, signal or reload.  Both are logged, with the module that runs there,
 * at the first time and whenever the time has doubled, and counted.  This
 * thread also ends the process when a limit of wait_limit.h is reached.
 */
#ifndef HANG_WATCH_H
#define HANG_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HANG_MS 5000

/* Called on the watching thread with a line that says what hangs, without a
 * newline, or with NULL when nothing does any more. */
typedef void hang_watch_tell_fn(const char *text);

/* [C]  After loop_lag_start().  `tell` may be NULL.  0, or -1 logged. */
int hang_watch_start(hang_watch_tell_fn *tell);
/* [C]  Before loop_lag_finish().  Accepts a watch that was not started. */
void hang_watch_stop(void);

/* [C]  Whether the control thread is expected to run its loop, or to return
 * from calls to modules, from now on.  Initially it is not. */
void hang_watch_control(bool on);

/*
 * Describes the threads that hang, as "worker 1 has been in module NAME for 7
 * s".  Returns how many there are; `out` is "" if there is none.  [*]
 */
unsigned hang_watch_describe(char *out, size_t cap);

/* Describes the worker whose loop has hung for the longest time.  [C] */
void hang_watch_describe_worker(char *out, size_t cap);

/* [C]  Registers the metrics.  0, or -1 logged. */
int hang_watch_metrics_init(void);

#endif
