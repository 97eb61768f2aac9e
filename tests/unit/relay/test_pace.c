/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of rates per minute. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "shared/pace.h"

static int spend_within(
	int64_t *clear_ms, int64_t per_minute, int64_t burst_ms, int64_t now_ms)
{
	int n = 0;

	while (n < 100000 && pace_spend(clear_ms, per_minute, burst_ms, now_ms))
		n++;
	return n;
}

static int spend(int64_t *clear_ms, int64_t per_minute, int64_t now_ms)
{
	return spend_within(clear_ms, per_minute, PACE_MINUTE_MS, now_ms);
}

static int spend_shortly(int64_t *clear_ms, int64_t per_minute, int64_t now_ms)
{
	return spend_within(
		clear_ms, per_minute, pace_short_burst_ms(per_minute), now_ms);
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

static void a_short_burst_is_half_of_a_minutes_worth(void **state)
{
	int64_t clear_ms = 0;

	(void)state;
	assert_int_equal(spend_shortly(&clear_ms, 600, 5000), 300);
	assert_int_equal(spend_shortly(&clear_ms, 600, 6000), 10);
	assert_int_equal(spend_shortly(&clear_ms, 600, 900000), 300);
}

static void of_a_low_rate_thirty_may_come_at_once(void **state)
{
	static const int64_t rates[][2] = {
		{50, 30}, {31, 30}, {30, 30}, {1, 1}};

	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		int64_t clear_ms = 0;

		assert_int_equal(spend_shortly(&clear_ms, rates[i][0], 5000),
			rates[i][1]);
	}
}

static void of_a_high_rate_half_may_come_at_once(void **state)
{
	int64_t clear_ms = 0;

	(void)state;
	assert_int_equal(spend_shortly(&clear_ms, INT64_MAX, 0), 30000);
}

static void a_short_burst_without_a_rate_is_any_number(void **state)
{
	int64_t clear_ms = 0;

	(void)state;
	assert_int_equal(spend_shortly(&clear_ms, 0, 5000), 100000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_minutes_worth_may_come_at_once),
		cmocka_unit_test(without_a_rate_it_is_any_number),
		cmocka_unit_test(a_rate_above_a_thousand_a_second_is_that),
		cmocka_unit_test(a_short_burst_is_half_of_a_minutes_worth),
		cmocka_unit_test(of_a_low_rate_thirty_may_come_at_once),
		cmocka_unit_test(of_a_high_rate_half_may_come_at_once),
		cmocka_unit_test(a_short_burst_without_a_rate_is_any_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
