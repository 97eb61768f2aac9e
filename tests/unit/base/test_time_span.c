/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of spans of time for system calls. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/time_span.h"

static const struct row {
	int64_t ms, seconds, rest_ms;
} rows[] = {
	{0, 0, 0},
	{999, 0, 999},
	{61001, 61, 1},
	{INT64_C(2147483646999), INT32_MAX - 1, 999},
	{INT64_C(2147483648000), INT32_MAX, 0},
	{INT64_MAX, INT32_MAX, 807},
};

static void seconds_fit_into_32_bits(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct timespec spec = time_span_spec(rows[i].ms);
		struct timeval val = time_span_val(rows[i].ms);

		assert_int_equal(spec.tv_sec, rows[i].seconds);
		assert_int_equal(spec.tv_nsec, rows[i].rest_ms * 1000000);
		assert_int_equal(val.tv_sec, rows[i].seconds);
		assert_int_equal(val.tv_usec, rows[i].rest_ms * 1000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seconds_fit_into_32_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
