/* SPDX-License-Identifier: MPL-2.0 */

/* Names of signals. */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/signal_name.h"

static void names_are_the_constants(void **state)
{
	(void)state;
	assert_string_equal(signal_name(SIGHUP), "SIGHUP");
	assert_string_equal(signal_name(SIGKILL), "SIGKILL");
	assert_string_equal(signal_name(SIGSEGV), "SIGSEGV");
	assert_string_equal(signal_name(SIGSYS), "SIGSYS");
}

/* Those that can end a child. */
static void each_signal_before_the_real_time_ones_has_its_own(void **state)
{
	(void)state;
	for (int i = 1; i < 31; i++) {
		if (strcmp(signal_name(i), "an unknown signal") == 0) {
			/* SIGSTKFLT, which Linux never sends. */
			assert_int_equal(i, 16);
			continue;
		}
		assert_memory_equal(signal_name(i), "SIG", 3);
		for (int other = 1; other < i; other++)
			assert_string_not_equal(
				signal_name(i), signal_name(other));
	}
}

static void others_have_none(void **state)
{
	(void)state;
	assert_string_equal(signal_name(SIGRTMIN), "an unknown signal");
	assert_string_equal(signal_name(0), "an unknown signal");
	assert_string_equal(signal_name(-1), "an unknown signal");
	assert_string_equal(signal_name(4000), "an unknown signal");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_the_constants),
		cmocka_unit_test(
			each_signal_before_the_real_time_ones_has_its_own),
		cmocka_unit_test(others_have_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
