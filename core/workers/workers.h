/* SPDX-License-Identifier: MPL-2.0 */

/*
 * All workers: their threads from start to end, and calls from the control
 * thread.
 */
#ifndef WORKERS_H
#define WORKERS_H

#include <stddef.h>

#include "workers/deferred.h"
#include "workers/worker.h"

/* What the room that uses the workers provides to workers_create(). */
struct workers_calls {
	size_t size; /* bytes of the struct that embeds struct worker */
	/* Initializes the members after struct worker, which are zero. 0, or -1
	 * without memory. */
	int (*init)(struct worker *worker, const void *conf);
	/* Frees what init made; also after an init that failed or was not
	 * called. */
	void (*finish)(struct worker *worker);
	/* Own thread: ends all that the worker serves. */
	void (*stop)(struct worker *worker);
	/* Own thread: at the end of every event, see loop.h. */
	void (*event_over)(struct loop *loop);
	struct deferred_work deferred;
};

/*
 * [C]  Makes `count` workers, without threads; metrics must exist.  `calls` is
 * borrowed until workers_destroy(), `conf` is handed to calls->init.  0, or -1
 * logged.
 */
int workers_create(
	unsigned count, const struct workers_calls *calls, const void *conf);
/* [C]  Starts the threads.  0, or -1 logged. */
int workers_run(void);
/* [C]  Calls calls->stop on each worker, then ends and joins the threads. */
void workers_stop(void);
/* [C]  Frees what workers_create() made. */
void workers_destroy(void);

unsigned workers_count(void);
struct worker *workers_get(unsigned i);

/*
 * [C]  Runs fn on every worker's own thread between two events and waits for
 * all; before workers_run(), on the calling thread.  If one hangs for a minute,
 * the process ends (hang_watch.h): nothing can be done without its answer.
 * Returns how many returned other than 0.
 */
unsigned workers_call(int (*fn)(struct worker *worker, void *arg), void *arg);
/*
 * [C]  Runs fn in the same way, but does not wait: one that hangs does it when
 * it goes on.  What is posted to a worker later comes after it.  0, or -1
 * without memory, and then some workers may have been told.
 */
int workers_tell(void (*fn)(struct worker *worker));

#endif
