/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of how the load generator times bytes, tests/bench/marks.c. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "marks.h"

static struct marks marks;
static struct histogram delays;

static int begin(void **state)
{
	(void)state;
	memset(&marks, 0, sizeof(marks));
	memset(&delays, 0, sizeof(delays));
	return 0;
}

static void test_a_delay_ends_with_the_last_byte(void **state)
{
	(void)state;
	marks_sent(&marks, MARKS_APART, 1000);
	marks_received(&marks, MARKS_APART - 1, 3000, &delays);
	assert_int_equal(delays.count, 0);
	marks_received(&marks, MARKS_APART, 6000, &delays);
	assert_int_equal(delays.count, 1);
	assert_int_equal(delays.max_ns, 5000);
	/* It counts once. */
	marks_received(&marks, 10 * MARKS_APART, 9000, &delays);
	assert_int_equal(delays.count, 1);
}

static void test_small_writes_share_a_mark(void **state)
{
	(void)state;
	for (uint64_t i = 1; i <= 128; i++)
		marks_sent(&marks, i * MARKS_APART / 64, (int64_t)i);
	marks_received(&marks, 2 * MARKS_APART, 1000, &delays);
	assert_int_equal(delays.count, 2);
	assert_int_equal(delays.max_ns, 1000 - 64);
}

static void test_before_it_counts_marks_are_used_up(void **state)
{
	(void)state;
	marks_sent(&marks, MARKS_APART, 1);
	marks_sent(&marks, 2 * MARKS_APART, 2);
	marks_received(&marks, MARKS_APART, 10, NULL);
	marks_received(&marks, 2 * MARKS_APART, 10, &delays);
	assert_int_equal(delays.count, 1);
	assert_int_equal(delays.max_ns, 8);
}

static void test_a_full_ring_takes_no_more(void **state)
{
	(void)state;
	for (uint64_t i = 1; i <= MARKS + 5; i++)
		marks_sent(&marks, i * MARKS_APART, 0);
	marks_received(&marks, (MARKS + 5) * MARKS_APART, 1, &delays);
	assert_int_equal(delays.count, MARKS);
	marks_sent(&marks, (MARKS + 6) * MARKS_APART, 5);
	marks_received(&marks, (MARKS + 6) * MARKS_APART, 7, &delays);
	assert_int_equal(delays.count, MARKS + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
			test_a_delay_ends_with_the_last_byte, begin),
		cmocka_unit_test_setup(test_small_writes_share_a_mark, begin),
		cmocka_unit_test_setup(
			test_before_it_counts_marks_are_used_up, begin),
		cmocka_unit_test_setup(test_a_full_ring_takes_no_more, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
