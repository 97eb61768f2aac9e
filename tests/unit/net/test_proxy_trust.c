/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of which hosts may say who a client is. */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "net/proxy_trust.h"

static const struct {
	const char *range, *host;
	bool trusted;
} table[] = {
	{"192.0.2.1", "192.0.2.1", true},
	{"192.0.2.1", "192.0.2.0", false},
	{"192.0.2.1", "::ffff:192.0.2.1", true},
	{"192.0.2.1", "::ffff:192.0.2.3", false},
	{"192.0.2.0/24", "192.0.2.255", true},
	{"192.0.2.0/24", "192.0.3.0", false},
	{"192.0.2.77/24", "192.0.2.1", true},
	{"10.16.0.0/12", "10.16.0.0", true},
	{"10.16.0.0/12", "10.31.255.255", true},
	{"10.16.0.0/12", "10.32.0.0", false},
	{"10.16.0.0/12", "10.15.255.255", false},
	{"192.0.2.128/25", "192.0.2.128", true},
	{"192.0.2.128/25", "192.0.2.127", false},
	{"192.0.2.4/31", "192.0.2.5", true},
	{"192.0.2.4/31", "192.0.2.6", false},
	{"0.0.0.0/0", "255.255.255.255", true},
	{"0.0.0.0/0", "::ffff:192.0.2.1", true},
	{"0.0.0.0/0", "2001:db8::1", false},
	{"0.0.0.0/1", "128.0.0.1", false},
	{"2001:db8::1", "2001:db8::1", true},
	{"2001:db8::1", "2001:db8::2", false},
	{"2001:db8::/32", "2001:db8:ffff::1", true},
	{"2001:db8::/32", "2001:db9::1", false},
	{"2001:db8::/33", "2001:db8:7fff::1", true},
	{"2001:db8::/33", "2001:db8:8000::1", false},
	{"2001:db8::/127", "2001:db8::1", true},
	{"2001:db8::/127", "2001:db8::2", false},
	{"::/0", "2001:db8::1", true},
	{"::1", "127.0.0.1", false},
	{"::ffff:192.0.2.0/120", "192.0.2.9", true},
};

static struct sockaddr_storage host(const char *text)
{
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_storage out;

	memset(&out, 0, sizeof(out));
	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		memcpy(&out, &v4, sizeof(v4));
	else if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1)
		memcpy(&out, &v6, sizeof(v6));
	else
		fail_msg("%s is no address", text);
	return out;
}

static const struct {
	const char *from[5];
	int family;
	bool all;
} wide[] = {
	{{"0.0.0.0/0"}, AF_INET, true},
	{{"0.0.0.0/0"}, AF_INET6, false},
	{{"::/0"}, AF_INET6, true},
	{{"::/0"}, AF_INET, true},
	{{"2000::/3"}, AF_INET6, true},
	{{"2000::/4"}, AF_INET6, false},
	{{"3000::/4", "2000::/4"}, AF_INET6, true},
	{{"3000::/4", "2000::/5"}, AF_INET6, false},
	{{"::ffff:0:0/96"}, AF_INET, true},
	{{"::/1", "8000::/1"}, AF_INET6, true},
	{{"128.0.0.0/1", "0.0.0.0/1"}, AF_INET, true},
	{{"128.0.0.0/1", "128.0.0.0/1"}, AF_INET, false},
	{{"0.0.0.0/1", "128.0.0.0/2", "192.0.0.0/2"}, AF_INET, true},
	{{"192.0.0.0/2", "10.0.0.0/8", "0.0.0.0/1", "128.0.0.0/2"}, AF_INET,
		true},
	{{"0.0.0.0/1", "128.0.0.0/2", "192.0.0.0/3"}, AF_INET, false},
	{{"0.0.0.1/32", "128.0.0.0/1"}, AF_INET, false},
	{{"10.0.0.0/8", "127.0.0.1"}, AF_INET, false},
	{{NULL}, AF_INET, false},
	{{NULL}, AF_INET6, false},
};

static void ranges_that_have_everybody_are_known(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++) {
		struct proxy_trust *trust =
			proxy_trust_read(wide[i].from, NULL);

		assert_non_null(trust);
		if (proxy_trust_has_all(trust, wide[i].family) != wide[i].all)
			fail_msg("row %zu", i);
		free(trust);
	}
}

static void each_bit_of_a_range_counts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const char *const from[] = {table[i].range, NULL};
		const struct sockaddr_storage who = host(table[i].host);
		struct relay_err err = {.text = ""};
		struct proxy_trust *trust = proxy_trust_read(from, &err);

		if (!trust)
			fail_msg("%s: %s", table[i].range, err.text);
		else if (proxy_trust_has(trust, &who) != table[i].trusted)
			fail_msg("%s in %s", table[i].host, table[i].range);
		free(trust);
	}
}

static void one_of_several_is_enough(void **state)
{
	const char *const from[] = {"192.0.2.1", "2001:db8::/32", NULL};
	const struct sockaddr_storage first = host("192.0.2.1"),
				      second = host("2001:db8::9"),
				      none = host("192.0.2.2"),
				      local = {.ss_family = AF_UNIX};
	struct relay_err err = {.text = ""};
	struct proxy_trust *trust = proxy_trust_read(from, &err);

	(void)state;
	assert_non_null(trust);
	assert_true(proxy_trust_has(trust, &first));
	assert_true(proxy_trust_has(trust, &second));
	assert_false(proxy_trust_has(trust, &none));
	assert_false(proxy_trust_has(trust, &local));
	free(trust);
}

static void what_is_no_range_is_refused(void **state)
{
	static const char *const wrong[] = {"", "192.0.2", "192.0.2.1/",
		"192.0.2.1/33", "192.0.2.1/-1", "192.0.2.1/8x",
		"192.0.2.1/0008", "2001:db8::/129", "2001:db8::/ 1",
		"localhost", "192.0.2.1 ", "::ffff:192.0.2.0/24",
		"2001:0db8:0000:0000:0000:0000:192.168.100.1001",
		"2001:0db8:0000:0000:0000:0000:192.168.100.100x/64"};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const char *const from[] = {"192.0.2.1", wrong[i], NULL};
		struct relay_err err = {.text = ""};

		if (proxy_trust_read(from, &err))
			fail_msg("\"%s\" is taken", wrong[i]);
		assert_non_null(strstr(err.text, wrong[i]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_that_have_everybody_are_known),
		cmocka_unit_test(each_bit_of_a_range_counts),
		cmocka_unit_test(one_of_several_is_enough),
		cmocka_unit_test(what_is_no_range_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
