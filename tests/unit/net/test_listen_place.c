/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of whether two listen addresses overlap. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "config/config.h"
#include "base/address.h"
#include "net/listen_socket.h"
#include "log/log.h"

void log_core(enum relay_level level, const char *fmt, ...)
{
	(void)level;
	(void)fmt;
}

static struct listen_place place(const char *text, int64_t protocol)
{
	struct listen_place out;
	struct relay_err err = {.text = ""};

	if (listen_place_resolve(text, protocol, &out, &err) != 0)
		fail_msg("%s: %s", text, err.text);
	return out;
}

static const struct {
	const char *a, *b;
	int64_t a_protocol, b_protocol;
	bool same, overlap;
} table[] = {
	{"127.0.0.1:1", "127.0.0.1:1", CORE_TCP, CORE_TCP, true, true},
	{"127.0.0.1:1", "127.0.0.1:2", CORE_TCP, CORE_TCP, false, false},
	{"127.0.0.1:1", "127.0.0.2:1", CORE_TCP, CORE_TCP, false, false},
	{"127.0.0.1:1", "0.0.0.0:1", CORE_TCP, CORE_TCP, false, true},
	{"0.0.0.0:1", "0.0.0.0:1", CORE_TCP, CORE_TCP4, true, true},
	{"127.0.0.1:1", ":1", CORE_TCP, CORE_TCP, false, true},
	{"127.0.0.1:1", ":1", CORE_TCP, CORE_TCP6, false, false},
	{"127.0.0.1:1", ":1", CORE_TCP, CORE_TCP4, false, true},
	{":1", ":1", CORE_TCP, CORE_TCP6, false, true},
	{":1", ":1", CORE_TCP4, CORE_TCP6, false, false},
	{":1", ":1", CORE_TCP, CORE_TCP4, false, true},
	{"[::1]:1", ":1", CORE_TCP, CORE_TCP, false, true},
	{"[::1]:1", ":1", CORE_TCP, CORE_TCP4, false, false},
	{"[::1]:1", "[::1]:1", CORE_TCP, CORE_TCP, true, true},
	{"[::1]:1", "[::2]:1", CORE_TCP, CORE_TCP, false, false},
	{"[fe80::1%1]:1", "[fe80::1%1]:1", CORE_TCP, CORE_TCP, true, true},
	{"[fe80::1%1]:1", "[fe80::1%2]:1", CORE_TCP, CORE_TCP, false, false},
	{"[fe80::1%1]:1", "[::]:1", CORE_TCP, CORE_TCP, false, true},
	{"0.0.0.0:1", "[::1]:1", CORE_TCP, CORE_TCP, false, false},
	{"0.0.0.0:1", "[::]:1", CORE_TCP, CORE_TCP, false, true},
	{"[::ffff:127.0.0.1]:1", "127.0.0.1:1", CORE_TCP, CORE_TCP, true, true},
	{"[::ffff:127.0.0.1]:1", "0.0.0.0:1", CORE_TCP, CORE_TCP, false, true},
	{"[::ffff:127.0.0.1]:1", "[::]:1", CORE_TCP, CORE_TCP, false, true},
	{"[::ffff:127.0.0.1]:1", "[::]:1", CORE_TCP, CORE_TCP6, false, false},
	{"[::ffff:0.0.0.0]:1", "127.0.0.1:1", CORE_TCP, CORE_TCP, false, true},
	{"[::ffff:0.0.0.0]:1", "[::1]:1", CORE_TCP, CORE_TCP, false, false},
	/* The kernel chooses the ports, so an overlap is not known. */
	{"127.0.0.1:0", "127.0.0.1:0", CORE_TCP, CORE_TCP, true, false},
	{"127.0.0.1:0", ":0", CORE_TCP, CORE_TCP, false, false},
};

static void test_pairs(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct listen_place a = place(table[i].a, table[i].a_protocol);
		struct listen_place b = place(table[i].b, table[i].b_protocol);

		if (listen_place_same(&a, &b) != table[i].same ||
			listen_place_same(&b, &a) != table[i].same)
			fail_msg("%zu: %s is %s: want %d", i, table[i].a,
				table[i].b, table[i].same);
		if (listen_place_overlaps(&a, &b) != table[i].overlap ||
			listen_place_overlaps(&b, &a) != table[i].overlap)
			fail_msg("%zu: %s overlaps %s: want %d", i, table[i].a,
				table[i].b, table[i].overlap);
	}
}

static void test_falls_back_only_for_want_of_ipv6(void **state)
{
	struct listen_place at = place(":1", CORE_TCP);
	const struct listen_place v4 = place(":1", CORE_TCP4);

	(void)state;
	assert_false(listen_place_fall_back(&at, ":1", CORE_TCP, EADDRINUSE));
	assert_false(listen_place_fall_back(&at, ":1", CORE_TCP, 0));
	assert_false(
		listen_place_fall_back(&at, ":1", CORE_TCP6, EAFNOSUPPORT));
	assert_false(
		listen_place_fall_back(&at, "[::]:1", CORE_TCP, EAFNOSUPPORT));
	assert_true(listen_place_fall_back(&at, ":1", CORE_TCP, EAFNOSUPPORT));
	assert_true(listen_place_same(&at, &v4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_falls_back_only_for_want_of_ipv6),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
