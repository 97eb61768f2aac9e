/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of how much a lingering connection may owe, and for how long. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "peers/linger_records.h"

#define SECOND 1000
#define MUCH   (4 << 20)

/* Seconds until a reader of so many bytes a second is cut, or has all. */
static int lasts(int rate)
{
	int64_t owed = MUCH;
	int seconds = 0;

	while (owed > 0 && owed <= linger_may_owe(MUCH, seconds * SECOND)) {
		owed -= rate;
		seconds++;
	}
	return owed > 0 ? -seconds : seconds;
}

static void nobody_takes_longer_than_20_minutes(void **state)
{
	(void)state;
	assert_in_range(lasts(3700), 1100, 1200);
	assert_in_range(-lasts(3400), 600, 1200);
	assert_in_range(-lasts(1024), 60, 120);
	assert_int_equal(linger_may_owe(INT32_MAX, 1200 * SECOND), 0);
	assert_int_equal(linger_may_owe(INT32_MAX, INT64_MAX / 2), 0);
}

static void in_the_first_minute_it_need_not_shrink(void **state)
{
	(void)state;
	assert_int_equal(linger_may_owe(MUCH, 0), MUCH);
	assert_int_equal(linger_may_owe(MUCH, 60 * SECOND), MUCH);
	assert_true(linger_may_owe(MUCH, 61 * SECOND) < MUCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_takes_longer_than_20_minutes),
		cmocka_unit_test(in_the_first_minute_it_need_not_shrink),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
