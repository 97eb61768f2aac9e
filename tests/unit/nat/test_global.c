/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of what is taken for a public IPv6 address. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "global.h"

static void test_public_addresses_are_global(void **state)
{
	(void)state;
	assert_true(global_is("2a01:4f8::1"));
	assert_true(global_is("2600::"));
}

static void test_others_are_not(void **state)
{
	static const char *const others[] = {"::", "::1", "fe80::1", "fec0::1",
		"fd00::1", "ff02::1", "::ffff:8.8.8.8", "8.8.8.8", "2600::g",
		"host", ""};

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (global_is(others[i]))
			fail_msg("\"%s\" is global", others[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_public_addresses_are_global),
		cmocka_unit_test(test_others_are_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
