/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Notices threads that hang: a thread of its own looks at every loop twice a
 * second.
 *
 * A loop hangs when its timer (loop_lag.h) has not fired for HANG_MS.  While
 * the server starts or ends, the return of a call to a module counts as well.
 * A hanging worker does not serve its connections; a hanging control thread
 * answers no HTTP, signal or reload.  A hang is counted, and logged with the
 * module that runs there, which may be in an event of its own: when it is
 * found, and whenever its duration has doubled.  This thread also ends the
 * process when a limit of wait_limit.h is reached.
 */
#ifndef HANG_WATCH_H
#define HANG_WATCH_H

#include <stddef.h>
#include <stdint.h>

struct file_wait;
struct loop;

#define HANG_MS 5000

/* Called on the watching thread with a line that says what hangs, without a
 * newline, or with NULL when a hang has ended. */
typedef void hang_watch_tell_fn(const char *text);

/* [C]  After loop_lag_start().  `tell` may be NULL.  `files`: where the control
 * thread notes which file it waits for; NULL: nowhere.  0, or -1 logged. */
int hang_watch_start(hang_watch_tell_fn *tell, struct file_wait *files);
/* [C]  Before loop_lag_finish().  Accepts a watch that was not started. */
void hang_watch_stop(void);

/* What the threads are expected to do. */
enum hang_watch_phase {
	HANG_WATCH_WAIT,  /* the control thread: nothing; it may wait */
	HANG_WATCH_CALLS, /* the control thread returns from calls to modules */
	HANG_WATCH_LOOP,  /* the control thread runs its loop */
	HANG_WATCH_END,   /* as CALLS; the workers' threads have ended, and the
			   * control thread calls modules in their place */
};

/* [C]  The phase from now on.  Initially it is HANG_WATCH_WAIT. */
void hang_watch_expect(enum hang_watch_phase phase);
/* One of several modules has returned from a call on this loop's thread, which
 * counts as a loop iteration in phases that expect calls.  [*] */
void hang_watch_stepped(struct loop *loop);

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
