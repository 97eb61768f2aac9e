/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of finding empty lists in the text of a configuration file. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "config/config_text.h"

static void check(const char *text, unsigned line)
{
	unsigned found = config_text_empty_list(text, "pools");

	if (found != line)
		fail_msg("%s: line %u instead of %u", text, found, line);
}

static void test_an_empty_list_is_found_with_its_line(void **state)
{
	(void)state;
	check("pools = {}\n", 1);
	check("\n\npools\n=\n{ }\n", 3);
	check("a = b\npools = {}\npools = { }\n", 3);
}

static void test_nothing_else_is_an_empty_list(void **state)
{
	(void)state;
	check("", 0);
	check("pools", 0);
	check("pools = { x }\n", 0);
	check("other = {}\n", 0);
	check("pools {}\n", 0);
	check("pools = \"{}\"\n", 0);
	check("pools += {}\n", 0);
	check("pools { {}\n", 0);
	check("pools = x }\n", 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_empty_list_is_found_with_its_line),
		cmocka_unit_test(test_nothing_else_is_an_empty_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
