/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the escaping for the query part of a URL. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "strelaysrv/query.h"

static void check(const char *text, const char *want)
{
	char out[512];
	size_t len = relay_query_escape(text, out, sizeof(out));

	assert_string_equal(out, want);
	assert_int_equal(len, strlen(want));
}

static void keeps_unreserved(void **state)
{
	static const char text[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "abcdefghijklmnopqrstuvwxyz0123456789-_.~";

	(void)state;
	check("", "");
	check(text, text);
}

static void escapes_the_rest(void **state)
{
	(void)state;
	check(":22070", "%3A22070");
	check("a b&c=d+e/f?g%", "a+b%26c%3Dd%2Be%2Ff%3Fg%25");
	check("!\"#$'()*,;<>@[\\]^`{|}",
		"%21%22%23%24%27%28%29%2A%2C%3B%3C%3E%40%5B%5C%5D%5E%60%7B%7C"
		"%7D");
	check("\x01\n\x7f\xc2\xb5\xff", "%01%0A%7F%C2%B5%FF");
}

static void tells_the_length_when_cut(void **state)
{
	static const char *const starts[] = {
		NULL, "", "a", "a", "a", "a%3A", "a%3Ab"};

	(void)state;
	assert_int_equal(relay_query_escape("a:b", NULL, 0), 5);
	for (size_t cap = 1; cap <= 6; cap++) {
		char out[8];

		memset(out, '#', sizeof(out));
		assert_int_equal(relay_query_escape("a:b", out, cap), 5);
		assert_string_equal(out, starts[cap]);
		assert_int_equal(out[cap], '#');
	}
}

static void writes_nothing_after_a_cut_escape(void **state)
{
	char out[4];

	(void)state;
	assert_int_equal(relay_query_escape(":ab", out, 3), 5);
	assert_string_equal(out, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_unreserved),
		cmocka_unit_test(escapes_the_rest),
		cmocka_unit_test(tells_the_length_when_cut),
		cmocka_unit_test(writes_nothing_after_a_cut_escape),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
