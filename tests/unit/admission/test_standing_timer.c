/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of a timer that is set without memory. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include <event2/event.h>

#include "shared/standing_timer.h"

#define FAR_MS (60 * 60 * 1000)

static struct test {
	struct event_base *base;
	struct standing_timer timer;
	unsigned fired, again;
	bool no_memory;
} test;

static void *get(size_t size)
{
	return test.no_memory ? NULL : malloc(size);
}

static void *get_more(void *old, size_t size)
{
	return test.no_memory ? NULL : realloc(old, size);
}

static void due(void *arg)
{
	struct test *all = arg;

	all->fired++;
	if (all->again && all->again--)
		standing_timer_set(&all->timer, 0);
}

static int open_all(void **state)
{
	(void)state;
	test = (struct test){.fired = 0};
	test.base = event_base_new();
	assert_non_null(test.base);
	assert_int_equal(
		standing_timer_open(&test.timer, test.base, due, &test), 0);
	return 0;
}

static int close_all(void **state)
{
	(void)state;
	test.no_memory = false;
	standing_timer_close(&test.timer);
	standing_timer_close(&test.timer);
	event_base_free(test.base);
	return 0;
}

static void turn(void)
{
	assert_int_equal(event_base_loop(test.base, EVLOOP_NONBLOCK), 0);
}

static void it_fires_once_for_each_time_that_it_is_set(void **state)
{
	(void)state;
	turn();
	assert_int_equal(test.fired, 0);
	standing_timer_set(&test.timer, 0);
	turn();
	turn();
	assert_int_equal(test.fired, 1);
	standing_timer_set(&test.timer, 0);
	turn();
	assert_int_equal(test.fired, 2);
}

static void the_last_time_counts(void **state)
{
	(void)state;
	standing_timer_set(&test.timer, 0);
	standing_timer_set(&test.timer, FAR_MS);
	turn();
	standing_timer_set(&test.timer, 0);
	standing_timer_set(&test.timer, -1);
	turn();
	assert_int_equal(test.fired, 0);
	standing_timer_set(&test.timer, FAR_MS);
	standing_timer_set(&test.timer, 0);
	turn();
	assert_int_equal(test.fired, 1);
}

static void it_may_be_set_while_it_fires(void **state)
{
	(void)state;
	test.again = 2;
	standing_timer_set(&test.timer, 0);
	turn();
	turn();
	assert_int_equal(test.fired, 3);
}

static void it_is_set_without_memory(void **state)
{
	(void)state;
	test.no_memory = true;
	for (unsigned i = 1; i <= 3; i++) {
		standing_timer_set(&test.timer, FAR_MS);
		standing_timer_set(&test.timer, 0);
		turn();
		assert_int_equal(test.fired, i);
	}
}

static void it_is_not_opened_without_memory(void **state)
{
	struct standing_timer other;

	(void)state;
	test.no_memory = true;
	assert_int_equal(
		standing_timer_open(&other, test.base, due, &test), -1);
	standing_timer_close(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			it_fires_once_for_each_time_that_it_is_set, open_all,
			close_all),
		cmocka_unit_test_setup_teardown(
			the_last_time_counts, open_all, close_all),
		cmocka_unit_test_setup_teardown(
			it_may_be_set_while_it_fires, open_all, close_all),
		cmocka_unit_test_setup_teardown(
			it_is_set_without_memory, open_all, close_all),
		cmocka_unit_test_setup_teardown(
			it_is_not_opened_without_memory, open_all, close_all),
	};

	event_set_mem_functions(get, get_more, free);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
