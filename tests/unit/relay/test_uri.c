/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Tests of the relay:// URI.  The values are those that strelaysrv 1.19 logs
 * for the same options; that version neither sorted nor escaped them.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "relay/address/uri.h"

#define ID    "NHRA2WQ-BDKZ7DJ-ZPTRURX-WEACWBE-YQCXWOE-BIIRWTV-L62VR5V-RKTOAAQ"
#define IDQ   "?id=" ID
#define TIMES "&networkTimeout=2m0s&pingInterval=1m0s"

static const struct uri plain = {.host = "127.0.0.1",
	.port = 24001,
	.id = ID,
	.network_timeout_ms = 120000,
	.ping_interval_ms = 60000};

static void check(const struct uri *uri, const char *want)
{
	char out[URI_TEXT];
	struct relay_err err = {""};

	assert_int_equal(uri_format(uri, out, sizeof(out), &err), 0);
	assert_string_equal(out, want);
}

static void writes_the_least(void **state)
{
	struct uri u = plain;

	(void)state;
	check(&u, "relay://127.0.0.1:24001/" IDQ TIMES);
	u.provided_by = u.status_addr = "";
	u.global_limit = -5;
	check(&u, "relay://127.0.0.1:24001/" IDQ TIMES);
}

static void writes_all_fields_sorted_and_escaped(void **state)
{
	struct uri u = plain;

	(void)state;
	u.network_timeout_ms = 90000;
	u.ping_interval_ms = 5400000;
	u.global_limit = 1000;
	u.session_limit = 500;
	u.provided_by = "A b/c&d";
	u.status_addr = ":22070";
	check(&u, "relay://127.0.0.1:24001/?globalLimitBps=1000&id=" ID
		  "&networkTimeout=1m30s&pingInterval=1h30m0s"
		  "&providedBy=A+b%2Fc%26d&sessionLimitBps=500"
		  "&statusAddr=%3A22070");
	u.provided_by = "\303\251~*()!\"";
	u.status_addr = "[::1]:24008";
	u.network_timeout_ms = 500;
	u.ping_interval_ms = 1500;
	u.global_limit = INT64_MAX;
	u.session_limit = 0;
	check(&u, "relay://127.0.0.1:24001/?globalLimitBps=9223372036854775807"
		  "&id=" ID "&networkTimeout=500ms&pingInterval=1.5s"
		  "&providedBy=%C3%A9~%2A%28%29%21%22"
		  "&statusAddr=%5B%3A%3A1%5D%3A24008");
}

static void writes_hosts(void **state)
{
	static const struct {
		const char *host;
		const char *want;
	} rows[] = {
		{NULL, "relay://0.0.0.0:22067/" IDQ TIMES},
		{"", "relay://0.0.0.0:22067/" IDQ TIMES},
		{"0.0.0.0", "relay://0.0.0.0:22067/" IDQ TIMES},
		{"::", "relay://0.0.0.0:22067/" IDQ TIMES},
		{"[::]", "relay://0.0.0.0:22067/" IDQ TIMES},
		{"::0", "relay://0.0.0.0:22067/" IDQ TIMES},
		{"203.0.113.9", "relay://203.0.113.9:22067/" IDQ TIMES},
		{"relay.example.org",
			"relay://relay.example.org:22067/" IDQ TIMES},
		{"my_host-1.", "relay://my_host-1.:22067/" IDQ TIMES},
		{"::1", "relay://[::1]:22067/" IDQ TIMES},
		{"[2001:DB8:0::1]", "relay://[2001:db8::1]:22067/" IDQ TIMES},
		{"::ffff:127.0.0.1", "relay://127.0.0.1:22067/" IDQ TIMES},
		{"fe80::1%eth0", "relay://[fe80::1]:22067/" IDQ TIMES},
		{"[fe80::1%eth0]", "relay://[fe80::1]:22067/" IDQ TIMES},
	};
	struct uri u = plain;

	(void)state;
	u.port = 22067;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		u.host = rows[i].host;
		check(&u, rows[i].want);
	}
}

static void check_refused(const struct uri *uri, const char *word)
{
	char out[URI_TEXT] = "before";
	struct relay_err err = {""};

	assert_int_equal(uri_format(uri, out, sizeof(out), &err), -1);
	assert_string_equal(out, "");
	assert_non_null(strstr(err.text, word));
	assert_int_equal(uri_format(uri, out, sizeof(out), NULL), -1);
}

static void refuses_what_is_no_host(void **state)
{
	static const char *const hosts[] = {"a b", "a/b", "a?b", "a@b", "a:b",
		"[a]b", "a%20", "a\nb", "\303\251", "[", "::1::", "::g", "%"};
	char long_host[400];
	struct uri u = plain;

	(void)state;
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		u.host = hosts[i];
		check_refused(&u, "neither a host name");
	}
	memset(long_host, 'a', sizeof(long_host) - 1);
	long_host[sizeof(long_host) - 1] = '\0';
	u.host = long_host;
	check_refused(&u, "more than 253");
	long_host[254] = '\0';
	check_refused(&u, "more than 253");
}

static void refuses_durations_out_of_range(void **state)
{
	struct uri u = plain;

	(void)state;
	u.network_timeout_ms = -1;
	check_refused(&u, "network-timeout");
	u = plain;
	u.ping_interval_ms = INT64_MAX / 1000000 + 1;
	check_refused(&u, "ping-interval");
}

static void reports_truncation(void **state)
{
	static const char want[] =
		"relay://127.0.0.1:24001/" IDQ TIMES "&providedBy=%26%26";
	struct uri u = plain;
	char out[sizeof(want) + 1];

	(void)state;
	u.provided_by = "&&";
	for (size_t cap = 0; cap < sizeof(want); cap++) {
		struct relay_err err = {""};

		memset(out, 'X', sizeof(out));
		assert_int_equal(uri_format(&u, out, cap, &err), -1);
		assert_non_null(strstr(err.text, "characters"));
		assert_int_equal(out[0], cap ? '\0' : 'X');
		assert_int_equal(out[cap], 'X');
	}
	assert_int_equal(uri_format(&u, out, sizeof(want), NULL), 0);
	assert_string_equal(out, want);
}

/* URI_TEXT is large enough for the longest URI. */
static void has_room_for_the_longest(void **state)
{
	char host[254], provided_by[31], status[261], out[URI_TEXT];
	struct uri u = plain;

	(void)state;
	memset(host, 'h', sizeof(host));
	memset(provided_by, '&', sizeof(provided_by));
	memset(status, ':', sizeof(status));
	host[253] = provided_by[30] = status[260] = '\0';
	u.host = host;
	u.port = 65535;
	u.provided_by = provided_by;
	u.status_addr = status;
	u.global_limit = u.session_limit = INT64_MAX;
	u.network_timeout_ms = u.ping_interval_ms = INT64_MAX / 1000000;
	assert_int_equal(uri_format(&u, out, sizeof(out), NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_the_least),
		cmocka_unit_test(writes_all_fields_sorted_and_escaped),
		cmocka_unit_test(writes_hosts),
		cmocka_unit_test(refuses_what_is_no_host),
		cmocka_unit_test(refuses_durations_out_of_range),
		cmocka_unit_test(reports_truncation),
		cmocka_unit_test(has_room_for_the_longest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
