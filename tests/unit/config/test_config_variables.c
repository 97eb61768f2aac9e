/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of environment variables in configuration files. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "config/config.h"
#include "config_fixture.h"
#include "sample_options.h"

#define DOLLAR                                                                 \
	"to keep a $ as it is, write \\$ in double quotes, or use single "     \
	"quotes"

static void refuses_variables_that_are_not_set(void **state)
{
	static const char *const wrong[][2] = {
		{"keys = \"/a\"\nrelay { token = \"${NOT_SET_HERE}\" }\n",
			"2: column 18: the environment variable in "
			"${NOT_SET_HERE} is not set; ${NAME:-DEFAULT} gives a "
			"default; " DOLLAR},
		{"keys = ${NOT_SET_HERE}\n",
			"1: column 8: the environment variable in "
			"${NOT_SET_HERE} is not set; ${NAME:-DEFAULT} gives a "
			"default; " DOLLAR},
		{"keys = \"a${\"\n",
			"1: column 10: the variable ${ is not closed; " DOLLAR},
		{"keys = \"${A:-${B}}\"\n",
			"1: column 14: a default cannot contain another "
			"variable; " DOLLAR},
		{"keys = ${A:-${B:-c}}\n",
			"1: column 13: a default cannot contain another "
			"variable; " DOLLAR},
		{"keys = \"${not_set}\"\n",
			"1: column 9: the environment variable there is not "
			"set; ${NAME:-DEFAULT} gives a default; " DOLLAR},
		{"keys = \"${A:B:-c}\"\n",
			"1: column 9: the environment variable there is not "
			"set; ${NAME:-DEFAULT} gives a default; " DOLLAR},
		{"keys = a${SET_HERE}\n",
			"1: column 8: quote a word that contains ${"},
	};
	struct fixture *f = *state;
	char text[256];

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_null(load(f, wrong[i][0]));
		(void)snprintf(
			text, sizeof(text), "error: a.conf:%s\n", wrong[i][1]);
		assert_string_equal(f->told, text);
	}
}

static void takes_variables_and_dollars(void **state)
{
	static const char *const good[][2] = {
		{"keys = \"${SET_HERE}/b\"\n", "/a/b"},
		{"keys = ${SET_HERE}\n", "/a"},
		{"keys = \"${NOT_SET_HERE:-/c}\"\n", "/c"},
		{"keys = \"${EMPTY_HERE:-/c}\"\n", "/c"},
		{"keys = \"${EMPTY_HERE:-}/c${NOT_SET_HERE:-}\"\n", "/c"},
		{"keys = '${NOT_SET_HERE}'\n", "${NOT_SET_HERE}"},
		{"keys = \"\\${NOT_SET_HERE}\"\n", "${NOT_SET_HERE}"},
		{"# ${NOT_SET_HERE}\nkeys = \"a$b\"\n", "a$b"},
	};
	struct fixture *f = *state;

	assert_int_equal(setenv("SET_HERE", "/a", 1), 0);
	assert_int_equal(setenv("EMPTY_HERE", "", 1), 0);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_string_equal(config_core(load_good(f, good[i][0]))->keys,
			good[i][1]);
	assert_int_equal(unsetenv("SET_HERE"), 0);
	assert_int_equal(unsetenv("EMPTY_HERE"), 0);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(refuses_variables_that_are_not_set),
		TEST(takes_variables_and_dollars),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
