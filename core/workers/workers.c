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

#include "log/log.h"
#include "loop/crash.h"
#include "metrics/metrics.h"
#include "modules/hooks.h"
#include "workers/deadlines.h"
#include "workers/workers.h"

/*
 * One for the process: relay_worker_count() has no context that could lead to
 * it.  Made by workers_create(), ended by workers_destroy().
 */
static struct {
	char *all; /* owned array of `count` structs of calls->size bytes */
	unsigned count;
	const struct workers_calls *calls; /* borrowed */
} workers;

unsigned workers_count(void)
{
	return workers.count;
}

int relay_worker_count(void)
{
	return (int)workers.count;
}

struct worker *workers_get(unsigned i)
{
	return (struct worker *)(void *)(workers.all + i * workers.calls->size);
}

static void worker_finish(struct worker *worker)
{
	workers.calls->finish(worker);
	deferred_finish(worker);
	deadlines_finish(worker);
	hook_set_free(worker->hooks);
	loop_finish(&worker->loop);
}

static int worker_init(struct worker *worker, int index, const void *conf)
{
	if (loop_init(&worker->loop, index) != 0)
		return -1;
	worker->loop.after = workers.calls->event_over;
	worker->shard = metrics_shard(index);
	if (deadlines_init(worker) != 0 ||
		deferred_init(worker, &workers.calls->deferred) != 0)
		return -1;
	return workers.calls->init(worker, conf);
}

int workers_create(
	unsigned count, const struct workers_calls *calls, const void *conf)
{
	workers.calls = calls;
	workers.all = calloc(count, calls->size);
	if (!workers.all)
		goto error;
	for (; workers.count < count; workers.count++) {
		struct worker *worker = workers_get(workers.count);

		if (worker_init(worker, (int)workers.count, conf) != 0) {
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
	while (workers.count > 0)
		worker_finish(workers_get(--workers.count));
	free(workers.all);
	workers.all = NULL;
}

static void *worker_main(void *arg)
{
	struct worker *worker = arg;
	char name[16];

	loop_current = &worker->loop;
	snprintf(name, sizeof(name), "worker %d", worker->loop.index);
	pthread_setname_np(pthread_self(), name);
	if (crash_thread_init() != 0)
		log_core(RELAY_WARNING, "no signal stack for %s", name);
	if (loop_run(&worker->loop) != 0)
		log_core(RELAY_ERROR, "the loop of %s failed", name);
	return NULL;
}

int workers_run(void)
{
	int error = 0;

	for (unsigned i = 0; i < workers.count && !error; i++) {
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

/* A call on all workers, while the control thread waits. */
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
 * Calls fn as if on the worker's own thread: before it has one, or after.
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
	struct call call = {.fn = fn, .arg = arg}, *sent = &call;

	/* It fails for values that are too large, and for no other reason. */
	(void)sem_init(&call.done, 0, 0);
	for (unsigned i = 0; i < workers.count; i++) {
		struct worker *worker = workers_get(i);

		if (worker->running)
			loop_call(&worker->loop, call_here, &call);
		else
			call_in_its_place(worker, call_here, &sent);
	}
	for (unsigned i = 0; i < workers.count; i++)
		while (sem_wait(&call.done) != 0 && errno == EINTR)
			;
	sem_destroy(&call.done);
	return atomic_load(&call.failed);
}

static int stop_here(struct worker *worker, void *arg)
{
	(void)arg;
	workers.calls->stop(worker);
	return 0;
}

/* What another worker sent to this one, when both threads have ended. */
static void stop_late(struct loop *loop, void *arg)
{
	(void)arg;
	loop_deliver(loop);
	workers.calls->stop(worker_of(loop));
}

void workers_stop(void)
{
	workers_call(stop_here, NULL);
	for (unsigned i = 0; i < workers.count; i++) {
		struct worker *worker = workers_get(i);

		if (!worker->running)
			continue;
		loop_stop(&worker->loop);
		pthread_join(worker->thread, NULL);
		worker->running = false;
	}
	for (unsigned i = 0; i < workers.count; i++)
		call_in_its_place(workers_get(i), stop_late, NULL);
}
