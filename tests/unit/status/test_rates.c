/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the mean rates in /status. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "rates.h"

static void check(const struct rates *rates, const int64_t want[RATES_WINDOWS])
{
	int64_t got[RATES_WINDOWS];

	rates_kbps(rates, got);
	for (int i = 0; i < RATES_WINDOWS; i++)
		assert_int_equal(got[i], want[i]);
}

static void all_are_zero_before_ten_seconds_have_passed(void **state)
{
	const int64_t want[RATES_WINDOWS] = {0};
	struct rates rates;

	(void)state;
	rates_init(&rates, 5000, 123456789);
	check(&rates, want);
}

static void what_was_not_seen_yet_counts_as_zero(void **state)
{
	/* 1,250,000 bytes in 10 s are 1,000 kbit/s. */
	const int64_t want[] = {
		1000, 1000 / 6, 1000 / 30, 1000 / 90, 1000 / 180, 1000 / 360};
	struct rates rates;

	(void)state;
	rates_init(&rates, 5000, 77);
	rates_sample(&rates, 15000, 77 + 1250000);
	check(&rates, want);
}

static void windows_forget_in_their_own_time(void **state)
{
	const int64_t hour[] = {0, 0, 0, 0, 0, 1000 / 360};
	const int64_t minute[] = {
		0, 1000 / 6, 1000 / 30, 1000 / 90, 1000 / 180, 1000 / 360};
	const int64_t zero[RATES_WINDOWS] = {0};
	struct rates rates;
	int64_t at = 0;

	(void)state;
	rates_init(&rates, at, 0);
	for (int i = 1; i <= 6; i++)
		rates_sample(&rates, at += 10000, 1250000);
	check(&rates, minute);
	for (int i = 7; i <= 360; i++)
		rates_sample(&rates, at += 10000, 1250000);
	check(&rates, hour);
	rates_sample(&rates, at += 10000, 1250000);
	check(&rates, zero);
}

static void a_steady_rate_is_the_same_everywhere(void **state)
{
	const int64_t want[] = {80, 80, 80, 80, 80, 80};
	struct rates rates;
	int64_t at = 0, total = 0;

	(void)state;
	rates_init(&rates, at, total);
	for (int i = 0; i < 1000; i++)
		rates_sample(&rates, at += 10000, total += 100000);
	check(&rates, want);
}

static void late_samples_are_weighed_by_their_time(void **state)
{
	/* 2,500,000 bytes in 25 s; longer windows count 10 s less of them. */
	const int64_t want[] = {800, 20000000 / 75000, 20000000 / 315000,
		20000000 / 915000, 20000000 / 1815000, 20000000 / 3615000};
	struct rates rates;

	(void)state;
	rates_init(&rates, 0, 0);
	rates_sample(&rates, 25000, 2500000);
	check(&rates, want);
	rates_sample(&rates, 25000, 9999999); /* ignored: not later */
	check(&rates, want);
}

static void very_large_totals_do_not_overflow(void **state)
{
	struct rates rates;
	int64_t got[RATES_WINDOWS];

	(void)state;
	rates_init(&rates, 0, 0);
	rates_sample(&rates, 10000, INT64_MAX);
	rates_kbps(&rates, got);
	assert_true(got[0] ==
		    INT64_MAX / 10000 * 8 + INT64_MAX % 10000 * 8 / 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_are_zero_before_ten_seconds_have_passed),
		cmocka_unit_test(what_was_not_seen_yet_counts_as_zero),
		cmocka_unit_test(windows_forget_in_their_own_time),
		cmocka_unit_test(a_steady_rate_is_the_same_everywhere),
		cmocka_unit_test(late_samples_are_weighed_by_their_time),
		cmocka_unit_test(very_large_totals_do_not_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
