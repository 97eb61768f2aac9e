/* SPDX-License-Identifier: MPL-2.0 */

/* The workers' threads, and calls from the control thread. */

#include <errno.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <strelaysrv/module.h>
#include <strelaysrv/thread.h>

#include "base/posts.h"
#include "log/log.h"
#include "loop/crash.h"
#include "loop/crash_reason.h"
#include "metrics/metrics.h"
#include "modules/hooks.h"
#include "workers/deadlines.h"
#include "workers/wait_limit.h"
#include "workers/workers.h"
#include "workers/workers_state.h"

/* How long the control thread waits for a worker in workers_call(). */
#define CALL_LIMIT_MS 60000

unsigned workers_count(void)
{
	return instance->workers->count;
}

int relay_worker_count(void)
{
	return (int)instance->workers->count;
}

struct worker *workers_get(unsigned i)
{
	struct workers_state *room = instance->workers;

	return (struct worker *)(void *)(room->all + i * room->calls->size);
}

static void worker_finish(struct worker *worker)
{
	instance->workers->calls->finish(worker);
	deferred_finish(worker);
	deadlines_finish(worker);
	hook_set_free(worker->hooks);
	loop_finish(&worker->loop);
}

static int worker_init(struct worker *worker, int index, const void *conf)
{
	struct workers_state *room = instance->workers;

	if (loop_init(&worker->loop, index) != 0)
		return -1;
	worker->loop.after = room->calls->event_over;
	worker->shard = metrics_shard(index);
	if (deadlines_init(worker) != 0 ||
		deferred_init(worker, &room->calls->deferred) != 0)
		return -1;
	return room->calls->init(worker, conf);
}

int workers_create(
	unsigned count, const struct workers_calls *calls, const void *conf)
{
	struct workers_state *room = instance->workers;

	room->calls = calls;
	room->all = calloc(count, calls->size);
	if (!room->all)
		goto error;
	for (; room->count < count; room->count++) {
		struct worker *worker = workers_get(room->count);

		if (worker_init(worker, (int)room->count, conf) != 0) {
			worker_finish(worker);
			goto error;
		}
	}
	return 0;
error:
	log_core(RELAY_ERROR, "cannot make %u workers: %s", count,
		strerror(errno ? errno : ENOMEM));
	workers_destroy();
	return -1;
}

void workers_destroy(void)
{
	struct workers_state *room = instance->workers;

	while (room->count > 0)
		worker_finish(workers_get(--room->count));
	free(room->all);
	room->all = NULL;
}

static void *worker_main(void *arg)
{
	struct worker *worker = arg;
	char name[16];

	loop_current = &worker->loop;
	snprintf(name, sizeof(name), "worker %d", worker->loop.index);
	pthread_setname_np(pthread_self(), name);
	if (crash_thread_init() != 0)
		log_core(RELAY_WARNING, "cannot report a stack overflow of %s",
			name);
	/* The control thread would wait for ever for answers of this worker. */
	if (loop_run(&worker->loop) != 0)
		crash_abort("the event loop of a worker has failed");
	return NULL;
}

int workers_run(void)
{
	int error = 0;

	for (unsigned i = 0; i < instance->workers->count && !error; i++) {
		struct worker *worker = workers_get(i);

		error = relay_thread_start(
			&worker->thread, worker_main, worker);
		worker->running = !error;
	}
	if (error)
		log_core(RELAY_ERROR, "cannot start a worker: %s",
			strerror(error));
	return error ? -1 : 0;
}

/* A call on all workers, for which the control thread waits. */
struct call {
	int (*fn)(struct worker *, void *);
	void *arg;
	atomic_uint failed;
	sem_t done;
};

static void call_here(struct loop *loop, void *arg)
{
	struct call *call = *(struct call **)arg;
	struct worker *worker = worker_of(loop);

	if (call->fn(worker, call->arg) != 0)
		atomic_fetch_add(&call->failed, 1);
	sem_post(&call->done);
}

/*
 * Calls fn as if on the worker's own thread, when that does not run yet, or no
 * longer.
 */
static void call_in_its_place(
	struct worker *worker, void (*fn)(struct loop *, void *), void *arg)
{
	struct loop *before = loop_current;

	loop_current = &worker->loop;
	fn(&worker->loop, arg);
	loop_event_over(&worker->loop);
	loop_current = before;
}

unsigned workers_call(int (*fn)(struct worker *worker, void *arg), void *arg)
{
	struct workers_state *room = instance->workers;
	struct call call = {.fn = fn, .arg = arg}, *sent = &call;
	int64_t limit = wait_limit_set(CALL_LIMIT_MS);

	/* sem_init() fails only for values that are too large. */
	(void)sem_init(&call.done, 0, 0);
	for (unsigned i = 0; i < room->count; i++) {
		struct worker *worker = workers_get(i);

		if (worker->running)
			loop_call(&worker->loop, call_here, &call);
		else
			call_in_its_place(worker, call_here, &sent);
	}
	for (unsigned i = 0; i < room->count; i++)
		while (sem_wait(&call.done) != 0 && errno == EINTR)
			;
	sem_destroy(&call.done);
	(void)wait_limit_set(limit);
	return atomic_load(&call.failed);
}

static void tell_here(struct loop *loop, void *arg)
{
	void (**fn)(struct worker *) = arg;

	(*fn)(worker_of(loop));
}

int workers_tell(void (*fn)(struct worker *worker))
{
	int result = 0;

	for (unsigned i = 0; i < instance->workers->count; i++) {
		struct worker *worker = workers_get(i);

		if (!worker->running)
			call_in_its_place(worker, tell_here, &fn);
		else
			result |= loop_post(
				&worker->loop, tell_here, &fn, sizeof(fn));
	}
	return result;
}

static int stop_here(struct worker *worker, void *arg)
{
	(void)arg;
	instance->workers->calls->stop(worker);
	return 0;
}

/* Delivers messages that another worker sent before its end, and stops what
 * they have started; the threads of both workers have ended. */
static void stop_late(struct loop *loop, void *arg)
{
	(void)arg;
	loop_deliver(loop);
	instance->workers->calls->stop(worker_of(loop));
}

void workers_stop(void)
{
	struct workers_state *room = instance->workers;

	workers_call(stop_here, NULL);
	for (unsigned i = 0; i < room->count; i++) {
		struct worker *worker = workers_get(i);

		if (!worker->running)
			continue;
		loop_stop(&worker->loop);
		pthread_join(worker->thread, NULL);
		worker->running = false;
	}
	for (unsigned i = 0; i < room->count; i++)
		call_in_its_place(workers_get(i), stop_late, NULL);
}
