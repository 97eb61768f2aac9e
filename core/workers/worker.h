/* SPDX-License-Identifier: MPL-2.0 */

/*
 * A worker: a thread that owns an event loop, and all that is handled on it.
 *
 * This room knows nothing of connections.  The room that serves them embeds
 * struct worker as the first member of a larger struct; see workers_create().
 */
#ifndef WORKER_H
#define WORKER_H

#include <stdbool.h>
#include <stdint.h>
#include <pthread.h>

#include "base/wheel.h"
#include "loop/loop.h"

struct deferred_work;
struct hook_set;
struct metrics_shard;

struct worker {
	struct loop loop; /* first: a loop of index >= 0 is a worker's */
	pthread_t thread;
	bool running; /* the thread exists; [C] */

	struct hook_set *hooks; /* owned; replaced between two events */
	struct metrics_shard *shard;

	/* Time limits, see deadlines.h. */
	struct wheel wheel;
	struct event *wheel_timer; /* owned */
	int64_t wheel_due_ms; /* when wheel_timer fires; INT64_MAX: not armed */
	int64_t wheel_to_ms;  /* what was due then is called when it fires; 0:
				 it must fire once more */
	int64_t wheel_stall_ms; /* from when on a stall counts again */

	/* Work for the next iteration of the loop, see deferred.h. */
	const struct deferred_work *deferred; /* borrowed */
	struct event *deferred_timer;         /* owned */
};

static inline struct worker *worker_of(struct loop *loop)
{
	return (struct worker *)loop;
}

#endif
