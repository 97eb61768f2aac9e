/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Two servers in one process, with all rooms from base to modules.  Each has
 * its own log, metrics and modules; when one is stopped, the other continues.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <strelaysrv/hooks.h>
#include <strelaysrv/log.h>
#include <strelaysrv/metric.h>
#include <strelaysrv/server.h>
#include <strelaysrv/service.h>
#include <strelaysrv/thread.h>
#include <strelaysrv/timer.h>

#include "base/instance.h"
#include "config/config.h"
#include "log/log.h"
#include "loop/loop.h"
#include "loop/heap_trim.h"
#include "metrics/metrics.h"
#include "modules/hooks.h"
#include "modules/module_log.h"
#include "modules/module_metrics.h"
#include "modules/module_threads.h"
#include "modules/modules.h"
#include "modules/stage.h"

/* It has one worker, whose part the calling thread plays. */
static struct server {
	struct instance rooms;
	struct loop control, worker;
	struct relay_module mod;
	struct module_list list;
	struct hook_set *hooks; /* owned */
	struct relay_metric *things;
	char logged[1024]; /* records that the module's log sink got */
	unsigned accepted, fired;
} servers[2];
static struct server *const one = &servers[0], *const two = &servers[1];

static struct server *server_of(const struct relay_ctx *cx)
{
	return cx->mod == &one->mod ? one : two;
}

/* Makes the calling thread work for that server. */
static struct server *use(struct server *server)
{
	instance = &server->rooms;
	loop_current = &server->control;
	return server;
}

/* The module has no options. */
const void *__wrap_config_module_values(
	const struct config *config, const char *name);
const void *__wrap_config_module_values(
	const struct config *config, const char *name)
{
	(void)config;
	(void)name;
	return NULL;
}

/* The workers. */

static unsigned count_workers(void)
{
	return 1;
}

static struct loop *loop_of(unsigned worker)
{
	assert_int_equal(worker, 0);
	return instance == &one->rooms ? &one->worker : &two->worker;
}

static struct hook_set *hooks_of(struct loop *loop)
{
	return loop == &one->worker ? one->hooks : two->hooks;
}

static unsigned call_each(module_thread_fn *fn, void *arg)
{
	struct loop *before = loop_current;
	int result;

	loop_current = loop_of(0);
	result = fn(loop_current, arg);
	loop_current = before;
	return result != 0;
}

static const struct module_threads threads = {
	.count = count_workers,
	.loop = loop_of,
	.hooks = hooks_of,
	.call = call_each,
};

/* The module, which both servers run. */

static const int ops[2];
static const struct relay_metric_def things = {
	.name = "things", .help = "Things.", .kind = RELAY_COUNTER};

static void sink(struct relay_ctx *cx, const struct relay_log_record *record)
{
	struct server *server = server_of(cx);
	size_t len = strlen(server->logged);

	(void)snprintf(server->logged + len, sizeof(server->logged) - len,
		"%s;", record->text);
}

static int64_t fire(struct relay_ctx *cx, void *arg)
{
	(void)arg;
	server_of(cx)->fired++;
	return 0;
}

static int init(struct relay_ctx *cx, struct relay_err *err)
{
	struct server *server = server_of(cx);

	server->things = relay_metric_add(cx, &things);
	if (!server->things || relay_log_sink(cx, RELAY_INFO, sink) != 0 ||
		relay_service_publish(cx, "twin", 1, &ops[server - servers]) !=
			0 ||
		!relay_timer_add(cx, 0, fire, NULL))
		return relay_fail(err, "it could not register");
	return 0;
}

static enum relay_verdict conn_accept(
	struct relay_ctx *cx, struct relay_conn *conn, struct relay_denial *why)
{
	(void)conn;
	(void)why;
	server_of(cx)->accepted++;
	return RELAY_PASS;
}

/* Starting and stopping. */

static void make(struct server *server)
{
	struct relay_module *mods[] = {&server->mod}, *culprit;
	struct relay_err err;

	use(server);
	server->mod.def = (struct relay_module_def){.name = "twin",
		.version = "1",
		.init = init,
		.hooks = {.conn_accept = conn_accept}};
	assert_int_equal(log_create(), 0);
	assert_int_equal(heap_trim_create(), 0);
	assert_int_equal(metrics_create(), 0);
	assert_int_equal(modules_create(), 0);
	assert_int_equal(loop_init(&server->control, RELAY_CONTROL), 0);
	assert_int_equal(loop_init(&server->worker, 0), 0);
	module_log_init();
	loop_attach_log(&server->control);
	assert_int_equal(metrics_init(1), 0);
	assert_int_equal(module_metrics_init(), 0);
	module_threads_set(&threads);
	assert_int_equal(heap_trim_start(&server->control), 0);
	module_list_add(&server->list, &server->mod);
	assert_int_equal(stage_enter(&server->list, NULL, &server->control,
				 &culprit, &err),
		0);
	server->hooks = hook_set_make(layout_make(mods, 1), mods, 1, 0);
	assert_non_null(server->hooks);
	stage_publish(&server->list);
}

static void end(struct server *server)
{
	use(server);
	stage_abandon(&server->list);
	heap_trim_finish();
	hook_set_free(server->hooks);
	free(server->mod.workers);
	log_detach();
	loop_finish(&server->worker);
	loop_finish(&server->control);
	modules_destroy();
	metrics_destroy();
	heap_trim_destroy();
	log_destroy();
	assert_memory_equal(&server->rooms, &(struct instance){NULL},
		sizeof(server->rooms));
	memset(server, 0, sizeof(*server));
	loop_current = NULL;
	instance = &instance_first;
}

static int make_both(void **state)
{
	(void)state;
	make(one);
	make(two);
	return 0;
}

static int end_both(void **state)
{
	(void)state;
	end(one);
	end(two);
	return 0;
}

/* Queries of a server. */

static int64_t counted(struct server *server)
{
	use(server);
	return relay_metric_value(NULL, "twin", "things", NULL);
}

static void count(struct server *server, int64_t by)
{
	use(server);
	relay_metric_inc(&server->mod.workers[0].pub, server->things, 0, by);
}

static void turn(struct server *server)
{
	use(server);
	assert_true(
		event_base_loop(server->control.base, EVLOOP_NONBLOCK) >= 0);
}

static void accept_one(struct server *server)
{
	struct relay_denial why;
	uint8_t asked;

	use(server);
	assert_int_equal(hooks_conn_accept(server->hooks, NULL, &why, &asked),
		RELAY_PASS);
}

static void *log_elsewhere(void *arg)
{
	loop_current = NULL;
	log_core(RELAY_NOTICE, "%s", (const char *)arg);
	return NULL;
}

static void log_by_thread(struct server *server, char *text)
{
	pthread_t thread;

	use(server);
	assert_int_equal(relay_thread_start(&thread, log_elsewhere, text), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

/* The tests. */

static void each_logs_to_its_own_sink(void **state)
{
	(void)state;
	use(one);
	log_core(RELAY_NOTICE, "first");
	relay_log(&two->mod.control.pub, RELAY_DEBUG, "hidden");
	use(two);
	log_core(RELAY_NOTICE, "second");
	log_debug(true);
	assert_true(relay_log_wanted(RELAY_DEBUG));
	use(one);
	assert_false(relay_log_wanted(RELAY_DEBUG));
	assert_string_equal(one->logged, "first;");
	assert_string_equal(two->logged, "second;");
}

static void a_thread_logs_for_the_server_of_its_maker(void **state)
{
	(void)state;
	log_by_thread(two, "by a thread of the second");
	log_by_thread(one, "by a thread of the first");
	assert_string_equal(one->logged, "");
	turn(one);
	assert_string_equal(one->logged, "by a thread of the first;");
	assert_string_equal(two->logged, "");
	turn(two);
	assert_string_equal(two->logged, "by a thread of the second;");
}

static void each_counts_for_itself(void **state)
{
	(void)state;
	count(one, 1);
	count(two, 10);
	count(one, 1);
	assert_int_equal(counted(one), 2);
	assert_int_equal(counted(two), 10);
}

static void each_has_the_registrations_of_its_modules(void **state)
{
	struct relay_ctx *self = NULL;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		use(&servers[i]);
		assert_ptr_equal(relay_service_find(&servers[i].mod.control.pub,
					 "twin", 1, &self),
			&ops[i]);
		assert_ptr_equal(self, &servers[i].mod.control.pub);
	}
	turn(one);
	assert_int_equal(one->fired, 1);
	assert_int_equal(two->fired, 0);
	accept_one(two);
	assert_int_equal(one->accepted, 0);
	assert_int_equal(two->accepted, 1);
}

static void one_is_closed_to_newcomers_and_the_other_open(void **state)
{
	(void)state;
	use(one);
	relay_set_closed(&one->mod.control.pub, "full");
	assert_string_equal(relay_closed(), "full");
	use(two);
	assert_null(relay_closed());
}

static void when_one_ends_the_other_goes_on(void **state)
{
	(void)state;
	make_both(NULL);
	use(one);
	relay_set_closed(&one->mod.control.pub, "full");
	count(two, 5);
	end(one);
	count(two, 5);
	assert_int_equal(counted(two), 10);
	use(two);
	log_core(RELAY_NOTICE, "still here");
	assert_string_equal(two->logged, "still here;");
	assert_null(relay_closed());
	assert_ptr_equal(
		relay_service_find(&two->mod.control.pub, "twin", 1, NULL),
		&ops[1]);
	turn(two);
	assert_int_equal(two->fired, 1);
	accept_one(two);
	assert_int_equal(two->accepted, 1);
	end(two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, make_both, end_both)
		T(each_logs_to_its_own_sink),
		T(a_thread_logs_for_the_server_of_its_maker),
		T(each_counts_for_itself),
		T(each_has_the_registrations_of_its_modules),
		T(one_is_closed_to_newcomers_and_the_other_open),
#undef T
		cmocka_unit_test(when_one_ends_the_other_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
