/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the timers and services of modules.  The time is simulated: nothing
 * waits, and no other process can delay a call. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "modules/module_metrics.h"
#include "modules/hooks.h"
#include "log/log.h"
#include "loop/loop.h"
#include "modules/module.h"
#include "modules/modules.h"
#include "modules/service.h"
#include "modules/timer.h"

#define SLOW_MS 130 /* of a call that is logged as slow */

static struct loop loop;
static struct relay_module mod, other;
static unsigned failures;
static char logged[256];
static const struct relay_ctx *running;

static int64_t now_ms = 1000;
static int64_t due_ms; /* of the timer that was set last; 0: none is */
static bool no_memory;

int64_t clock_ms(void)
{
	return now_ms;
}

int64_t clock_us(void)
{
	return now_ms * 1000;
}

int __real_event_add(struct event *event, const struct timeval *in);
int __wrap_event_add(struct event *event, const struct timeval *in);

/* Only timers have a time; they are due at once, see turn(). */
int __wrap_event_add(struct event *event, const struct timeval *in)
{
	static const struct timeval at_once;

	if (!in)
		return __real_event_add(event, in);
	if (no_memory)
		return -1;
	due_ms = now_ms + (int64_t)in->tv_sec * 1000 + in->tv_usec / 1000;
	return __real_event_add(event, &at_once);
}

const struct relay_ctx *hooks_enter(const struct relay_ctx *cx)
{
	const struct relay_ctx *before = running;

	running = cx;
	return before;
}

void hooks_leave(const struct relay_ctx *before)
{
	running = before;
}

void module_metrics_timer_failed(struct metrics_shard *shard)
{
	(void)shard;
	failures++;
}

void relay_log(const struct relay_ctx *cx, enum relay_level level,
	const char *fmt, ...)
{
	(void)cx;
	(void)level;
	(void)fmt;
}

static void note(const char *fmt, va_list ap)
	__attribute__((format(printf, 1, 0)));

static void note(const char *fmt, va_list ap)
{
	(void)vsnprintf(logged, sizeof(logged), fmt, ap);
}

void log_set_sinks(const struct log_sinks *sinks)
{
	(void)sinks;
}

void log_core(enum relay_level level, const char *fmt, ...)
{
	va_list ap;

	(void)level;
	va_start(ap, fmt);
	note(fmt, ap);
	va_end(ap);
}

void log_core_fields(enum relay_level level, const struct relay_field *fields,
	const char *fmt, ...)
{
	va_list ap;

	(void)level;
	(void)fields;
	va_start(ap, fmt);
	note(fmt, ap);
	va_end(ap);
}

static void make_module(struct relay_module *m, const char *name)
{
	memset(m, 0, sizeof(*m));
	m->def.name = name;
	m->control.pub.mod = m;
	m->control.pub.worker = RELAY_CONTROL;
	m->control.loop = &loop;
}

static int setup(void **state)
{
	(void)state;
	if (loop_init(&loop, RELAY_CONTROL) || modules_create())
		return -1;
	loop_current = &loop;
	make_module(&mod, "test");
	make_module(&other, "other");
	failures = 0;
	due_ms = 0;
	no_memory = false;
	logged[0] = '\0';
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	timer_withdraw(&mod.control);
	service_withdraw(&mod);
	modules_destroy();
	loop_current = NULL;
	loop_finish(&loop);
	return 0;
}

void __real_event_active(struct event *event, int result, short calls);
void __wrap_event_active(struct event *event, int result, short calls);

/* Without memory for it, a timer is called all the time until it is due. */
void __wrap_event_active(struct event *event, int result, short calls)
{
	now_ms++;
	__real_event_active(event, result, calls);
}

static struct {
	int calls;
	int64_t answers[8], at_ms[8];
} script;

static int64_t play(struct relay_ctx *cx, void *arg)
{
	assert_ptr_equal(cx, &mod.control.pub);
	assert_ptr_equal(running, cx);
	assert_ptr_equal(arg, &script);
	script.at_ms[script.calls] = now_ms;
	return script.answers[script.calls++];
}

static void turn(void)
{
	if (due_ms)
		now_ms = due_ms;
	due_ms = 0;
	assert_true(event_base_loop(loop.base, EVLOOP_ONCE) >= 0);
}

/* Runs the loop until no event is pending. */
static void run(void)
{
	while (mod.control.timers)
		turn();
}

static void start(int64_t first_ms, const int64_t *answers, size_t n)
{
	memset(&script, 0, sizeof(script));
	memcpy(script.answers, answers, n * sizeof(*answers));
	assert_non_null(
		relay_timer_add(&mod.control.pub, first_ms, play, &script));
	run();
}

static void assert_gaps(const int64_t *ms, int n)
{
	for (int i = 1; i <= n; i++)
		assert_int_equal(
			script.at_ms[i] - script.at_ms[i - 1], ms[i - 1]);
}

static int64_t play_without_memory(struct relay_ctx *cx, void *arg)
{
	no_memory = true;
	return play(cx, arg);
}

static void a_timer_that_cannot_be_set_comes_nevertheless(void **state)
{
	const int64_t answers[] = {20, 40, 0}, gaps[] = {20, 40};

	(void)state;
	memset(&script, 0, sizeof(script));
	memcpy(script.answers, answers, sizeof(answers));
	assert_non_null(relay_timer_add(
		&mod.control.pub, 0, play_without_memory, &script));
	run();
	assert_int_equal(script.calls, 3);
	assert_gaps(gaps, 2);
}

static void a_timer_comes_again_until_it_says_0(void **state)
{
	const int64_t answers[] = {20, 40, 0};

	(void)state;
	start(0, answers, 3);
	assert_int_equal(script.calls, 3);
	assert_gaps(answers, 2);
}

static void failures_double_the_last_delay_at_most_sixteenfold(void **state)
{
	const int64_t answers[] = {-1, -1, -1, -1, -1, 10, 0};
	const int64_t waits[] = {20, 40, 80, 160, 160, 10};

	(void)state;
	start(10, answers, 7);
	assert_int_equal(script.calls, 7);
	assert_int_equal(failures, 5);
	assert_gaps(waits, 6);
}

static int64_t never(struct relay_ctx *cx, void *arg)
{
	(void)cx;
	(void)arg;
	fail();
	return 0;
}

static void deleted_and_withdrawn_timers_stay_silent(void **state)
{
	struct relay_timer *t;

	(void)state;
	relay_timer_del(NULL);
	t = relay_timer_add(&mod.control.pub, 5, never, NULL);
	assert_non_null(relay_timer_add(&mod.control.pub, 5, never, NULL));
	assert_non_null(
		relay_timer_add(&mod.control.pub, INT64_MAX, never, NULL));
	relay_timer_del(t);
	timer_withdraw(&mod.control);
	assert_null(mod.control.timers);
	assert_true(event_base_loop(loop.base, EVLOOP_NONBLOCK) >= 0);
}

static struct relay_timer *own;

static int64_t delete_itself(struct relay_ctx *cx, void *arg)
{
	(void)cx;
	(void)arg;
	relay_timer_del(own);
	return 1000;
}

static void deleting_itself_is_survived(void **state)
{
	(void)state;
	own = relay_timer_add(&mod.control.pub, 0, delete_itself, NULL);
	run();
}

static int64_t dawdle(struct relay_ctx *cx, void *arg)
{
	(void)cx;
	(void)arg;
	now_ms += SLOW_MS;
	return 0;
}

static void slow_callbacks_are_logged_by_name(void **state)
{
	(void)state;
	assert_non_null(relay_timer_add(&mod.control.pub, 0, dawdle, NULL));
	run();
	assert_non_null(strstr(logged, "a timer of module test held up"));
}

static int64_t dawdle_again(struct relay_ctx *cx, void *arg)
{
	int *calls = arg;

	(void)cx;
	++*calls;
	now_ms += SLOW_MS;
	return 1;
}

static void slow_callbacks_leave_time_to_others(void **state)
{
	int calls = 0;

	(void)state;
	assert_non_null(
		relay_timer_add(&mod.control.pub, 0, dawdle_again, &calls));
	turn();
	assert_int_equal(calls, 1);
	assert_int_equal(mod.slow_calls, 1);
	/* The timer asked for 1 ms. */
	assert_int_equal(due_ms - now_ms, 4 * SLOW_MS);
	turn();
	assert_int_equal(calls, 2);
}

static int64_t fail_twice(struct relay_ctx *cx, void *arg)
{
	int *calls = arg;

	(void)cx;
	return ++*calls < 3 ? -1 : 1000000;
}

static void failing_callbacks_are_logged_by_name(void **state)
{
	int calls = 0;

	(void)state;
	assert_non_null(
		relay_timer_add(&mod.control.pub, 1, fail_twice, &calls));
	turn();
	assert_non_null(strstr(logged, "a timer of module test failed"));
	logged[0] = '\0';
	turn();
	assert_string_equal(logged, ""); /* only the first is logged */
	assert_int_equal(mod.failures, 2);
	turn();
	assert_non_null(strstr(logged, "the timer of module test works again"));
}

static const int ops = 1;

static void services_are_found_by_name_and_version(void **state)
{
	struct relay_ctx *self = NULL;
	struct relay_ctx *cx = &mod.control.pub, *user = &other.control.pub;

	(void)state;
	assert_int_equal(relay_service_publish(cx, "pools", 2, &ops), 0);
	assert_int_equal(relay_service_publish(user, "pools", 3, &ops), -1);
	mod.stage = other.stage = MODULE_LIVE;
	assert_ptr_equal(relay_service_find(user, "pools", 1, &self), &ops);
	assert_ptr_equal(self, cx);
	assert_ptr_equal(relay_service_find(user, "pools", 2, NULL), &ops);
	assert_null(relay_service_find(user, "pools", 3, NULL));
	assert_null(relay_service_find(user, "nat", 1, NULL));
	service_withdraw(&mod);
	assert_null(relay_service_find(user, "pools", 1, NULL));
}

static void services_show_when_their_giver_has_started(void **state)
{
	struct relay_ctx *cx = &mod.control.pub, *user = &other.control.pub;

	(void)state;
	assert_int_equal(relay_service_publish(cx, "pools", 1, &ops), 0);
	mod.stage = other.stage = MODULE_INITED;
	assert_non_null(relay_service_find(cx, "pools", 1, NULL));
	assert_null(relay_service_find(user, "pools", 1, NULL));
	mod.stage = MODULE_STARTED;
	assert_non_null(relay_service_find(user, "pools", 1, NULL));
	other.stage = MODULE_LIVE; /* mod may still fail and be removed */
	assert_null(relay_service_find(user, "pools", 1, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(a_timer_that_cannot_be_set_comes_nevertheless),
		T(a_timer_comes_again_until_it_says_0),
		T(failures_double_the_last_delay_at_most_sixteenfold),
		T(deleted_and_withdrawn_timers_stay_silent),
		T(deleting_itself_is_survived),
		T(slow_callbacks_are_logged_by_name),
		T(slow_callbacks_leave_time_to_others),
		T(failing_callbacks_are_logged_by_name),
		T(services_are_found_by_name_and_version),
		T(services_show_when_their_giver_has_started),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
