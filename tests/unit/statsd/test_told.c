/* SPDX-License-Identifier: MPL-2.0 */

/* What is remembered of counters, and that the table never fills up. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "statsd/told.h"

static struct told *made(void)
{
	struct told *told = calloc(1, sizeof(*told));

	assert_non_null(told);
	told_begin(told);
	return told;
}

static int64_t numbered(struct told *told, size_t number, int64_t value)
{
	char name[40];

	(void)snprintf(name, sizeof(name), "module.counter.%zu", number);
	return told_increase(told, name, value);
}

static void increases(void **unused)
{
	struct told *told = made();

	(void)unused;
	assert_int_equal(told_increase(told, "a", 5), 5);
	assert_int_equal(told_increase(told, "b", 7), 7);
	told_begin(told);
	assert_int_equal(told_increase(told, "a", 5), 0);
	assert_int_equal(told_increase(told, "b", 17), 10);
	free(told);
}

static void a_full_table_ends_each_search(void **unused)
{
	struct told *told = made();

	(void)unused;
	for (size_t i = 0; i < TOLD_SERIES; i++)
		assert_int_equal(numbered(told, i, 1), 1);
	assert_int_equal(numbered(told, TOLD_SERIES, 1), 0);
	assert_int_equal(numbered(told, 0, 3), 2);
	free(told);
}

/* Names come and go for ever; those that stay keep their values. */
static void old_names_make_room(void **unused)
{
	struct told *told = made();
	size_t next = 10;

	(void)unused;
	for (int64_t round = 1; round <= 100; round++) {
		for (size_t stays = 0; stays < 10; stays++)
			assert_int_equal(numbered(told, stays, round), 1);
		for (size_t i = 0; i < 4000; i++)
			assert_int_equal(numbered(told, next++, 2), 2);
		told_begin(told);
	}
	free(told);
}

/* A module may be gone for a while. */
static void few_names_are_never_forgotten(void **unused)
{
	struct told *told = made();

	(void)unused;
	assert_int_equal(told_increase(told, "a", 5), 5);
	for (int i = 0; i < 100; i++)
		told_begin(told);
	assert_int_equal(told_increase(told, "a", 6), 1);
	free(told);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(increases),
		cmocka_unit_test(a_full_table_ends_each_search),
		cmocka_unit_test(old_names_make_room),
		cmocka_unit_test(few_names_are_never_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
