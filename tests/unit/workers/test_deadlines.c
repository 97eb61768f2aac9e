/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of when deadlines are due on a loop that is late.  libevent's timer and
 * the clock are replaced. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "loop/event_later.h"
#include "loop/loop.h"
#include "workers/deadlines.h"
#include "workers/worker.h"

static struct worker worker;
static struct deadline deadline;
static int64_t now_ms, fires_ms, due_ms; /* -1: it does not */
static event_callback_fn fired;

/* What deadlines.c needs. */

int64_t clock_us(void)
{
	return now_ms * 1000;
}

int64_t clock_ms(void)
{
	return now_ms;
}

int64_t loop_tick(struct loop *loop)
{
	atomic_store(&loop->turn_ms, now_ms);
	return now_ms;
}

void event_later(struct event *event, const struct timeval *in)
{
	(void)event;
	fires_ms = now_ms + in->tv_sec * 1000 + in->tv_usec / 1000;
}

struct event *event_new(struct event_base *base, evutil_socket_t fd, short what,
	event_callback_fn fn, void *arg)
{
	(void)base;
	(void)fd;
	(void)what;
	fired = fn;
	return arg;
}

void event_free(struct event *event)
{
	(void)event;
}

/* Tests. */

static void is_due(struct deadline *self)
{
	(void)self;
	due_ms = now_ms;
}

static int start(void **state)
{
	(void)state;
	now_ms = 1000000;
	worker = (struct worker){.loop = {.index = 0}};
	deadline = (struct deadline){.due = is_due};
	if (deadlines_init(&worker) != 0)
		return -1;
	(void)loop_tick(&worker.loop);
	return 0;
}

/* How late it is called if the loop is late at each turn. */
static int64_t lateness(int64_t late_ms)
{
	int64_t at_ms = now_ms + 1000;

	due_ms = -1;
	deadline_set(&worker, &deadline, at_ms);
	for (int turns = 0; due_ms < 0 && turns < 10; turns++) {
		assert_true(fires_ms >= 0);
		now_ms = fires_ms + late_ms;
		fires_ms = -1;
		fired(-1, 0, &worker);
	}
	assert_true(due_ms >= at_ms);
	return due_ms - at_ms;
}

static void it_is_punctual(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++)
		assert_in_range(lateness(0), 0, WHEEL_SLOT_MS);
}

static void a_stall_gives_a_second(void **state)
{
	(void)state;
	assert_in_range(lateness(299), 299, 2 * 299 + WHEEL_SLOT_MS);
	assert_in_range(lateness(500), 1500, 2000 + WHEEL_SLOT_MS);
}

static void a_loop_that_is_always_late_gets_it_seldom(void **state)
{
	int64_t began_ms = now_ms, seconds = 0;

	(void)state;
	while (now_ms < began_ms + 100000)
		seconds += lateness(400) > 2 * 400 + WHEEL_SLOT_MS;
	assert_in_range(seconds, 9, 11);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(it_is_punctual, start),
		cmocka_unit_test_setup(a_stall_gives_a_second, start),
		cmocka_unit_test_setup(
			a_loop_that_is_always_late_gets_it_seldom, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
