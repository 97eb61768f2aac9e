/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the last hour's throughput. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "history.h"

static struct history h;

static void rates_are_bytes_per_second(void **state)
{
	(void)state;
	history_init(&h, 1000, 500);
	history_add(&h, 3000, 2500);
	history_add(&h, 5500, 2500);
	history_add(&h, 5500, 9999); /* ignored: not later */
	history_add(&h, 7500, INT64_MAX);
	assert_int_equal(h.count, 3);
	assert_int_equal(history_rate(&h, 0), 1000);
	assert_int_equal(history_rate(&h, 1), 0);
	assert_true(history_rate(&h, 2) > INT64_MAX / 4);
}

static void it_keeps_an_hour(void **state)
{
	(void)state;
	history_init(&h, 0, 0);
	for (int64_t i = 1; i <= HISTORY_STEPS + 10; i++)
		history_add(&h, i * 1000, i * i);
	assert_int_equal(history_first(&h, -1), 10);
	assert_int_equal(history_rate(&h, 10), 21);
	assert_int_equal(
		history_rate(&h, h.count - 1), 2 * (HISTORY_STEPS + 10) - 1);
}

static void whoever_has_a_part_gets_the_rest(void **state)
{
	(void)state;
	history_init(&h, 0, 0);
	assert_int_equal(history_first(&h, -1), 0);
	for (int64_t i = 1; i <= 5; i++)
		history_add(&h, i * 1000, i);
	assert_int_equal(history_first(&h, 2), 3);
	assert_int_equal(history_first(&h, 4), 5);
	/* A position from an earlier start of the relay, or an invalid one. */
	assert_int_equal(history_first(&h, 5), 0);
	assert_int_equal(history_first(&h, INT64_MAX), 0);
	assert_int_equal(history_first(&h, INT64_MIN), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates_are_bytes_per_second),
		cmocka_unit_test(it_keeps_an_hour),
		cmocka_unit_test(whoever_has_a_part_gets_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
