/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the loops' delays.  Timers, allocation and the clock are replaced.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <strelaysrv/module.h>

#include "log/log.h"
#include "metrics/metrics.h"
#include "workers/loop_lag.h"
#include "workers/worker_metrics.h"
#include "workers/workers.h"
#include "workers/workers_state.h"

static struct workers_state room;
static struct loop control = {.index = RELAY_CONTROL};
static int64_t now_us;
static bool no_memory;
static unsigned warnings;
static event_callback_fn fired; /* of the control loop's timer */
static void *fired_arg;

/* What loop_lag.c needs. */

int64_t clock_us(void)
{
	return now_us;
}

struct event *event_new(struct event_base *base, evutil_socket_t fd, short what,
	event_callback_fn fn, void *arg)
{
	(void)base;
	(void)fd;
	(void)what;
	fired = fn;
	fired_arg = arg;
	return arg;
}

int event_add(struct event *event, const struct timeval *wait)
{
	(void)event;
	(void)wait;
	return no_memory ? -1 : 0;
}

void event_free(struct event *event)
{
	(void)event;
}

void log_core(enum relay_level level, const char *format, ...)
{
	(void)format;
	warnings += level == RELAY_WARNING;
}

struct metrics_shard *metrics_shard(int worker)
{
	(void)worker;
	return NULL;
}

void worker_observe(struct metrics_shard *shard, enum worker_metric which,
	unsigned value, int64_t seen)
{
	(void)shard;
	(void)which;
	(void)value;
	(void)seen;
}

unsigned workers_count(void)
{
	return 0;
}

struct worker *workers_get(unsigned i)
{
	(void)i;
	return NULL;
}

unsigned workers_call(int (*fn)(struct worker *worker, void *arg), void *arg)
{
	(void)fn;
	(void)arg;
	return 0;
}

/* Tests. */

static void turn(int64_t after_ms)
{
	now_us += after_ms * 1000;
	fired(-1, 0, fired_arg);
}

static int start(void **state)
{
	(void)state;
	now_us = 1000000;
	no_memory = false;
	warnings = 0;
	return loop_lag_start(&control);
}

static int finish(void **state)
{
	(void)state;
	loop_lag_finish();
	return 0;
}

static void silence_is_the_time_since_the_timer_fired(void **state)
{
	(void)state;
	turn(LOOP_LAG_BEAT_MS);
	assert_int_equal(loop_lag_silence_of_ms(0), 0);
	now_us += 7000000;
	assert_int_equal(loop_lag_silence_of_ms(0), 7000);
	loop_lag_touch(0);
	assert_int_equal(loop_lag_silence_of_ms(0), 0);
}

static void without_memory_for_the_timer_there_is_no_hang(void **state)
{
	(void)state;
	turn(LOOP_LAG_BEAT_MS);
	no_memory = true;
	turn(LOOP_LAG_BEAT_MS);
	now_us += 7000000;
	assert_int_equal(loop_lag_silence_of_ms(0), 0);
	loop_lag_touch(0);
	now_us += 7000000;
	assert_int_equal(loop_lag_silence_of_ms(0), 0);
	assert_int_equal(warnings, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			silence_is_the_time_since_the_timer_fired, start,
			finish),
		cmocka_unit_test_setup_teardown(
			without_memory_for_the_timer_there_is_no_hang, start,
			finish),
	};

	instance->workers = &room;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
