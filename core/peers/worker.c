/* SPDX-License-Identifier: MPL-2.0 */

/* Workers: their threads, their wheels, and calls from the control thread. */

#include <errno.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <strelaysrv/thread.h>

#include "peers/conn.h"
#include "loop/crash.h"
#include "net/capacity.h"
#include "peers/listeners.h"
#include "log/log.h"
#include "metrics/metrics.h"
#include "peers/session.h"
#include "tls/tls.h"
#include "peers/turn.h"
#include "peers/worker.h"

static struct worker *workers; /* owned array */
static unsigned worker_count;

unsigned workers_count(void)
{
	return worker_count;
}

int relay_worker_count(void)
{
	return (int)worker_count;
}

struct worker *workers_get(unsigned i)
{
	return &workers[i];
}

void worker_deadline_due(struct wheel_entry *entry, void *arg)
{
	struct deadline *deadline = (struct deadline *)entry;

	(void)arg;
	deadline->due(deadline);
}

static void arm_wheel(struct worker *worker)
{
	int64_t now = atomic_load_explicit(
		&worker->loop.turn_ms, memory_order_relaxed);
	int64_t next = wheel_next_ms(&worker->wheel);
	struct timeval wait;

	if (next < 0 || next >= worker->wheel_due_ms)
		return;
	worker->wheel_due_ms = next;
	next = next > now ? next - now : 0;
	wait.tv_sec = next / 1000;
	wait.tv_usec = next % 1000 * 1000;
	event_add(worker->wheel_timer, &wait);
}

static void wheel_turns(evutil_socket_t fd, short what, void *arg)
{
	struct worker *worker = arg;

	(void)fd;
	(void)what;
	worker->wheel_due_ms = INT64_MAX;
	wheel_advance(&worker->wheel, loop_tick(&worker->loop),
		worker_deadline_due, NULL);
	arm_wheel(worker);
	loop_event_over(&worker->loop);
}

void worker_deadline(
	struct worker *worker, struct deadline *deadline, int64_t at_ms)
{
	wheel_add(&worker->wheel, &deadline->entry, at_ms);
	if (at_ms < worker->wheel_due_ms)
		arm_wheel(worker);
}

void worker_deadline_clear(struct worker *worker, struct deadline *deadline)
{
	wheel_del(&worker->wheel, &deadline->entry);
}

static void worker_finish(struct worker *worker)
{
	listeners_close(worker);
	turn_finish(worker);
	if (worker->wheel_timer)
		event_free(worker->wheel_timer);
	if (worker->stop_timer)
		event_free(worker->stop_timer);
	pipe_pool_finish(&worker->pipes);
	strangers_finish(&worker->strangers);
	object_table_finish(&worker->conns);
	object_table_finish(&worker->sessions);
	hook_set_free(worker->hooks);
	free(worker->buffer);
	BIO_free(worker->tls_io);
	loop_finish(&worker->loop);
}

static void event_over(struct loop *loop)
{
	conn_reap(worker_of(loop));
}

static int worker_init(
	struct worker *worker, int index, const struct worker_conf *conf)
{
	if (loop_init(&worker->loop, index) != 0)
		return -1;
	worker->loop.after = event_over;
	worker->shard = metrics_shard(index);
	object_table_init(&worker->conns, 0);
	object_table_init(&worker->sessions, 1);
	wheel_init(&worker->wheel, loop_clock_ms());
	worker->wheel_due_ms = INT64_MAX;
	pipe_pool_init(&worker->pipes, conf->pipe_size,
		capacity_pipes() / conf->count);
	worker->socket_buffer = conf->socket_buffer;
	worker->buffer_len = conf->network_buffer;
	worker->buffer = malloc(conf->network_buffer);
	worker->wheel_timer =
		event_new(worker->loop.base, -1, 0, wheel_turns, worker);
	worker->tls_io = tls_io_new();
	if (strangers_init(&worker->strangers, loop_clock_ms()) != 0)
		return -1;
	if (!worker->buffer || !worker->wheel_timer || !worker->tls_io)
		return -1;
	return turn_init(worker);
}

int workers_create(const struct worker_conf *conf)
{
	workers = calloc(conf->count, sizeof(*workers));
	if (!workers)
		goto error;
	for (; worker_count < conf->count; worker_count++) {
		struct worker *worker = &workers[worker_count];

		if (worker_init(worker, (int)worker_count, conf) != 0) {
			worker_finish(worker);
			goto error;
		}
	}
	return 0;
error:
	log_core(RELAY_ERROR, "cannot make %u workers: %s", conf->count,
		strerror(errno ? errno : ENOMEM));
	workers_destroy();
	return -1;
}

void workers_destroy(void)
{
	while (worker_count > 0)
		worker_finish(&workers[--worker_count]);
	free(workers);
	workers = NULL;
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

	for (unsigned i = 0; i < worker_count && !error; i++) {
		error = relay_thread_start(
			&workers[i].thread, worker_main, &workers[i]);
		workers[i].running = !error;
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

/* Without a thread of its own yet, a worker is played by the caller. */
static void call_in_its_place(struct worker *worker, struct call *call)
{
	struct loop *before = loop_current;

	loop_current = &worker->loop;
	call_here(&worker->loop, &call);
	loop_event_over(&worker->loop);
	loop_current = before;
}

unsigned workers_call(int (*fn)(struct worker *worker, void *arg), void *arg)
{
	struct call call = {.fn = fn, .arg = arg};

	/* It fails for values that are too large, and for no other reason. */
	(void)sem_init(&call.done, 0, 0);
	for (unsigned i = 0; i < worker_count; i++) {
		struct worker *worker = &workers[i];

		if (worker->running)
			loop_call(&worker->loop, call_here, &call);
		else
			call_in_its_place(worker, &call);
	}
	for (unsigned i = 0; i < worker_count; i++)
		while (sem_wait(&call.done) != 0 && errno == EINTR)
			;
	sem_destroy(&call.done);
	return atomic_load(&call.failed);
}

static void stop_session(void *object, void *arg)
{
	(void)arg;
	session_end(object, RELAY_END_STOP);
}

static void stop_conn(void *object, void *arg)
{
	(void)arg;
	conn_end(object, RELAY_END_STOP);
}

static int stop_objects(struct worker *worker, void *arg)
{
	(void)arg;
	worker->stopping = true;
	worker->grace_until_ms = 0;
	listeners_close(worker);
	object_table_each(&worker->sessions, stop_session, NULL);
	object_table_each(&worker->conns, stop_conn, NULL);
	return 0;
}

void workers_stop(void)
{
	workers_call(stop_objects, NULL);
	for (unsigned i = 0; i < worker_count; i++) {
		struct worker *worker = &workers[i];

		if (!worker->running)
			continue;
		loop_stop(&worker->loop);
		pthread_join(worker->thread, NULL);
		worker->running = false;
	}
	/* Connections that were on their way to another worker. */
	for (unsigned i = 0; i < worker_count; i++) {
		struct loop *before = loop_current;

		loop_current = &workers[i].loop;
		loop_deliver(&workers[i].loop);
		stop_objects(&workers[i], NULL);
		loop_event_over(&workers[i].loop);
		loop_current = before;
	}
}

/* What a leaving module is told of every object, see worker_adopt. */
struct leaving {
	struct worker *worker;
	struct relay_module *mod;
};

static void session_leaves(void *object, void *arg)
{
	struct relay_session *session = object;
	const struct leaving *leaving = arg;
	struct relay_module *mod = leaving->mod;
	struct relay_ctx *cx = &mod->workers[leaving->worker->loop.index].pub;
	const struct relay_ctx *before;

	if (!mod->def.hooks.session_close || !layout_has(session->layout, mod))
		return;
	before = hooks_enter(cx);
	mod->def.hooks.session_close(cx, session, RELAY_END_WITHDRAWN);
	hooks_leave(before);
}

static void conn_leaves(void *object, void *arg)
{
	struct relay_conn *conn = object;
	const struct leaving *leaving = arg;
	struct relay_module *mod = leaving->mod;
	struct relay_ctx *cx = &mod->workers[leaving->worker->loop.index].pub;
	const struct relay_ctx *before;

	if (mod->def.hooks.conn_close && layout_has(conn->layout, mod)) {
		before = hooks_enter(cx);
		mod->def.hooks.conn_close(cx, conn, RELAY_END_WITHDRAWN);
		hooks_leave(before);
	}
	/* Nobody is left to speak for it. */
	if (conn->owner == cx && conn->phase == CONN_TAKEN)
		conn_end(conn, RELAY_END_STOP);
}

struct hook_set *worker_adopt(struct worker *worker, struct hook_set *next,
	struct relay_module *const *leaving, size_t n)
{
	struct hook_set *old = worker->hooks;

	/* First: what follows must not reach the leaving ones by dispatch. */
	worker->hooks = next;
	hook_set_sift(next);
	while (n-- > 0) {
		struct leaving one = {worker, leaving[n]};

		object_table_each(&worker->sessions, session_leaves, &one);
		object_table_each(&worker->conns, conn_leaves, &one);
	}
	return old;
}

static void conn_reloads(void *object, void *arg)
{
	struct relay_conn *conn = object;
	struct relay_ctx *cx = arg;

	if (conn->owner == cx && conn->phase == CONN_TAKEN)
		cx->mod->def.hooks.conn_reload(cx, conn);
}

static void session_reloads(void *object, void *arg)
{
	struct relay_session *session = object;
	struct relay_ctx *cx = arg;

	if (layout_has(session->layout, cx->mod))
		cx->mod->def.hooks.session_reload(cx, session);
}

void worker_tell_reload(struct worker *worker, struct relay_module *mod)
{
	struct relay_ctx *cx = &mod->workers[worker->loop.index].pub;
	const struct relay_ctx *before = hooks_enter(cx);

	if (mod->def.hooks.session_reload)
		object_table_each(&worker->sessions, session_reloads, cx);
	if (mod->def.hooks.conn_reload)
		object_table_each(&worker->conns, conn_reloads, cx);
	hooks_leave(before);
}
