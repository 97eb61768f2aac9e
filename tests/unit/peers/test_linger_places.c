/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of how many lingering connections a source may have. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>

#include "peers/linger_places.h"

#define PART (LINGER_MOST / LINGER_SOURCE_PART)

static struct linger_places places;

static struct in6_addr address(const char *text)
{
	struct in6_addr address;

	assert_int_equal(inet_pton(AF_INET6, text, &address), 1);
	return address;
}

static void change(const char *text, bool session, int by)
{
	for (int i = 0; i < (by < 0 ? -by : by); i++)
		linger_places_change(&places, address(text).s6_addr, session,
			by < 0 ? -1 : 1);
}

static bool full(const char *text, bool session)
{
	return linger_places_full(&places, address(text).s6_addr, session);
}

static int begin(void **state)
{
	(void)state;
	memset(&places, 0, sizeof(places));
	places.seed = 7;
	return 0;
}

static void both_kinds_have_a_bound_each(void **state)
{
	(void)state;
	for (int session = 0; session < 2; session++) {
		change("::ffff:192.0.2.1", session, PART - 1);
		assert_false(full("::ffff:192.0.2.1", session));
		change("::ffff:192.0.2.1", session, 1);
		assert_true(full("::ffff:192.0.2.1", session));
		assert_false(full("::ffff:192.0.2.2", session));
		assert_int_equal(full("::ffff:192.0.2.1", !session), session);
	}
	change("::ffff:192.0.2.1", false, -1);
	assert_false(full("::ffff:192.0.2.1", false));
	assert_true(full("::ffff:192.0.2.1", true));
}

static void wider_prefixes_have_larger_bounds(void **state)
{
	(void)state;
	change("2001:db8:0:1::1", false, PART - 1);
	change("2001:db8:0:1::2", false, 1);
	assert_true(full("2001:db8:0:1::3", false));
	assert_false(full("2001:db8:0:2::1", false));
	change("2001:db8:0:2::1", false, PART);
	assert_true(full("2001:db8:0:3::1", false));
	assert_false(full("2001:db8:0:100::1", false));
	change("2001:db8:0:100::1", false, PART);
	change("2001:db8:0:200::1", false, PART);
	assert_true(full("2001:db8:0:300::1", false));
	assert_false(full("2001:db8:1::1", false));
}

/* A proxy on this machine connects for everybody. */
static void this_machine_is_no_source(void **state)
{
	(void)state;
	change("::ffff:127.0.0.1", false, LINGER_MOST);
	assert_false(full("::ffff:127.0.0.1", false));
}

static void numbers_do_not_wrap(void **state)
{
	(void)state;
	change("::ffff:192.0.2.1", false, UINT16_MAX + 2);
	assert_true(full("::ffff:192.0.2.1", false));
	change("::ffff:192.0.2.1", false, -UINT16_MAX - 2);
	assert_false(full("::ffff:192.0.2.1", false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(both_kinds_have_a_bound_each, begin),
		cmocka_unit_test_setup(
			wider_prefixes_have_larger_bounds, begin),
		cmocka_unit_test_setup(this_machine_is_no_source, begin),
		cmocka_unit_test_setup(numbers_do_not_wrap, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
