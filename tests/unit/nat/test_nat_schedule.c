/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of when nat sends requests, and for which port. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "schedule.h"

#define MINUTE 60000

static const struct schedule defaults = {
	.lease_ms = 60 * MINUTE, .renewal_ms = 30 * MINUTE, .check_ms = MINUTE};

static void the_own_port_comes_first(void **state)
{
	(void)state;
	assert_int_equal(schedule_port(443, 0, 12345), 443);
	assert_int_equal(schedule_port(443, 1, 0), 1024);
	assert_int_equal(schedule_port(443, 1, 64511), 65535);
	assert_int_equal(schedule_port(443, 2, 64512), 1024);
}

static void renewals_come_by_the_middle_of_the_lease(void **state)
{
	struct schedule s = defaults;

	(void)state;
	assert_int_equal(schedule_renewal(&s), 30 * MINUTE);
	s.lease_ms = 10 * MINUTE;
	assert_int_equal(schedule_renewal(&s), 5 * MINUTE);
	s.lease_ms = 0;
	assert_int_equal(schedule_renewal(&s), 30 * MINUTE);
}

static void looks_do_not_put_a_renewal_off(void **state)
{
	(void)state;
	assert_int_equal(schedule_check(&defaults, 0), MINUTE);
	assert_int_equal(schedule_check(&defaults, 30 * MINUTE - 7), 7);
	assert_int_equal(schedule_check(&defaults, 31 * MINUTE), 0);
}

static void retries_back_off_to_five_minutes(void **state)
{
	static const int seconds[] = {5, 10, 20, 40, 80, 160, 300, 300};

	(void)state;
	for (unsigned i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++) {
		assert_int_equal(schedule_retry(i + 1, 0), seconds[i] * 1000);
		assert_int_equal(
			schedule_retry(i + 1, UINT32_MAX), seconds[i] * 800);
	}
	assert_int_equal(schedule_retry(1000000, 0), 300000);
}

static void a_lease_ends_unless_it_has_no_end(void **state)
{
	struct schedule s = defaults;

	(void)state;
	assert_false(schedule_over(&s, 60 * MINUTE - 1));
	assert_true(schedule_over(&s, 60 * MINUTE));
	s.lease_ms = 0;
	assert_false(schedule_over(&s, INT64_MAX));
}

static void a_shorter_lease_counts(void **state)
{
	(void)state;
	assert_int_equal(schedule_lease(60 * MINUTE, 0), 60 * MINUTE);
	assert_int_equal(schedule_lease(60 * MINUTE, MINUTE), MINUTE);
	assert_int_equal(schedule_lease(60 * MINUTE, 90 * MINUTE), 60 * MINUTE);
	assert_int_equal(schedule_lease(0, MINUTE), MINUTE);
	assert_int_equal(schedule_lease(0, 0), 0);
}

static void changes_are_told_rarely(void **state)
{
	struct schedule_changes changes = {0};
	int64_t now = 1000;

	(void)state;
	for (int i = 0; i < SCHEDULE_CHANGES; i++)
		assert_true(schedule_may_change(&changes, now));
	assert_false(schedule_may_change(&changes, now));
	now += SCHEDULE_CHANGE_MS - 1;
	assert_false(schedule_may_change(&changes, now));
	assert_true(schedule_may_change(&changes, now + 1));
	assert_false(schedule_may_change(&changes, now + 1));
	now += 24 * 60 * MINUTE;
	for (int i = 0; i < SCHEDULE_CHANGES; i++)
		assert_true(schedule_may_change(&changes, now));
	assert_false(schedule_may_change(&changes, now));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_own_port_comes_first),
		cmocka_unit_test(renewals_come_by_the_middle_of_the_lease),
		cmocka_unit_test(looks_do_not_put_a_renewal_off),
		cmocka_unit_test(retries_back_off_to_five_minutes),
		cmocka_unit_test(a_lease_ends_unless_it_has_no_end),
		cmocka_unit_test(a_shorter_lease_counts),
		cmocka_unit_test(changes_are_told_rarely),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
