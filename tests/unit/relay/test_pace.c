/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of rates per minute. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "shared/pace.h"

static int spend(int64_t *clear_ms, int64_t per_minute, int64_t now_ms)
{
	int n = 0;

	while (n < 100000 && pace_spend(clear_ms, per_minute, now_ms))
		n++;
	return n;
}

static void a_minutes_worth_may_come_at_once(void **state)
{
	int64_t clear_ms = 0;

	(void)state;
	assert_int_equal(spend(&clear_ms, 60, 5000), 60);
	assert_int_equal(spend(&clear_ms, 60, 5999), 0);
	assert_int_equal(spend(&clear_ms, 60, 6000), 1);
	assert_int_equal(spend(&clear_ms, 60, 16000), 10);
	assert_int_equal(spend(&clear_ms, 60, 900000), 60);
}

static void without_a_rate_it_is_any_number(void **state)
{
	int64_t clear_ms = 0;

	(void)state;
	assert_int_equal(spend(&clear_ms, 0, 5000), 100000);
	assert_int_equal(clear_ms, 0);
}

static void a_rate_above_a_thousand_a_second_is_that(void **state)
{
	int64_t clear_ms = 0;

	(void)state;
	assert_int_equal(spend(&clear_ms, INT64_MAX, 0), 60000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_minutes_worth_may_come_at_once),
		cmocka_unit_test(without_a_rate_it_is_any_number),
		cmocka_unit_test(a_rate_above_a_thousand_a_second_is_that),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
