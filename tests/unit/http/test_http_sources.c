/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the limits for each source of HTTP requests. */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "http/http_sources.h"

#define BURST_US (HTTP_BURST_MS * HTTP_SHARE_SOURCE)

static struct http_sources sources;

static struct sockaddr_storage address(const char *text)
{
	struct sockaddr_storage out = {.ss_family = AF_INET6};
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

	if (inet_pton(AF_INET, text, &in.sin_addr) == 1) {
		memcpy(&out, &in, sizeof(in));
	} else {
		assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
		memcpy(&out, &in6, sizeof(in6));
	}
	return out;
}

static struct http_origin enter(const char *text)
{
	struct sockaddr_storage from = address(text);
	struct http_origin out;

	assert_int_equal(http_sources_enter(&sources, &from, 0, &out), 0);
	return out;
}

static int setup(void **state)
{
	(void)state;
	http_sources_init(&sources, 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	http_sources_finish(&sources);
	assert_int_equal(sources.count, 0);
	return 0;
}

static void sources_are_addresses_and_networks(void **state)
{
	struct http_origin a = enter("192.0.2.1"), b = enter("192.0.2.2");
	struct http_origin mapped = enter("::ffff:192.0.2.1");
	struct http_origin v6 = enter("2001:db8:1:2::1");
	struct http_origin host = enter("2001:db8:1:2::2");
	struct http_origin home = enter("2001:db8:1:3::1");
	struct http_origin site = enter("2001:db8:1:100::1");
	struct http_origin other = enter("2001:db8:2::1");

	(void)state;
	assert_ptr_not_equal(a.at[0], b.at[0]);
	assert_ptr_equal(a.at[0], mapped.at[0]);
	assert_int_equal(a.at[0]->conns, 2);
	assert_int_equal(v6.count, 3);
	assert_ptr_equal(v6.at[2], host.at[2]);
	assert_ptr_not_equal(v6.at[2], home.at[2]);
	assert_ptr_equal(v6.at[1], home.at[1]);
	assert_ptr_not_equal(v6.at[1], site.at[1]);
	assert_ptr_equal(v6.at[0], site.at[0]);
	assert_ptr_not_equal(v6.at[0], other.at[0]);
	assert_int_equal(v6.at[0]->conns, 4);
	assert_false(a.at[0]->near);
	assert_true(enter("127.0.0.1").at[0]->near);
	assert_true(enter("::1").at[0]->near);
	assert_false(enter("127.0.0.2").at[0]->near);
}

static void who_takes_too_much_waits_until_it_has_grown_again(void **state)
{
	struct http_origin busy = enter("192.0.2.1"), good = enter("192.0.2.2");

	(void)state;
	assert_int_equal(http_sources_wait(&sources, &busy, 0), 0);
	http_sources_spend(&sources, &busy, BURST_US + 50000);
	/* A debt of 50 ms at a rate of a tenth. */
	assert_in_range(http_sources_wait(&sources, &busy, 0), 400, 600);
	assert_int_equal(http_sources_wait(&sources, &good, 0), 0);
	assert_int_not_equal(http_sources_wait(&sources, &busy, 499), 0);
	assert_int_equal(http_sources_wait(&sources, &busy, 510), 0);
	http_sources_spend(&sources, &busy, INT64_C(3600000000));
	assert_int_equal(http_sources_wait(&sources, &busy, 600), 1000);
}

static void who_is_near_may_take_more(void **state)
{
	struct http_origin near = enter("127.0.0.1");

	(void)state;
	http_sources_spend(&sources, &near, 4 * BURST_US);
	assert_int_equal(http_sources_wait(&sources, &near, 0), 0);
	http_sources_spend(&sources, &near, BURST_US);
	assert_int_not_equal(http_sources_wait(&sources, &near, 0), 0);
}

static void together_they_leave_room_for_who_asks_seldom(void **state)
{
	struct http_origin good, busy;
	char text[32];

	(void)state;
	for (int i = 1; i <= 10; i++) {
		(void)snprintf(text, sizeof(text), "192.0.2.%d", i);
		busy = enter(text);
		http_sources_spend(&sources, &busy, BURST_US / 2 + 1000);
	}
	good = enter("198.51.100.1");
	assert_int_not_equal(http_sources_wait(&sources, &busy, 0), 0);
	assert_int_equal(http_sources_wait(&sources, &good, 0), 0);
}

struct flood {
	int64_t granted_us;
	unsigned asked, waited; /* by the client that asks seldom */
};

/* For a minute `count` sources send a request every 100 ms that costs each_us,
 * and another source sends one every 10 s that costs 1 ms. */
static struct flood flood(unsigned count, int64_t each_us)
{
	static struct http_origin busy[1000];
	struct http_origin seldom = enter("198.51.100.1");
	struct flood seen = {0};
	char text[32];

	for (unsigned i = 0; i < count; i++) {
		(void)snprintf(
			text, sizeof(text), "10.0.%u.%u", i / 250, i % 250);
		busy[i] = enter(text);
	}
	for (int64_t now_ms = 100; now_ms <= 60000; now_ms += 100) {
		for (unsigned i = 0; i < count; i++) {
			if (http_sources_wait(&sources, &busy[i], now_ms))
				continue;
			http_sources_spend(&sources, &busy[i], each_us);
			seen.granted_us += each_us;
		}
		if (now_ms % 10000)
			continue;
		seen.asked++;
		if (http_sources_wait(&sources, &seldom, now_ms))
			seen.waited++;
		else
			http_sources_spend(&sources, &seldom, 1000);
	}
	return seen;
}

/* Each uses less than its own share, in pieces of less than a tenth of it. */
static void sources_together_keep_to_what_all_may_use(void **state)
{
	const unsigned counts[] = {8, 64, 1000};
	const int64_t all_us = 60000 * HTTP_SHARE_ALL;

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct flood seen = flood(counts[i], 9000);

		/* At most the share, a first request of each source, and the
		 * unused time that sources may save up. */
		assert_in_range(seen.granted_us, all_us * 7 / 10,
			all_us + HTTP_BURST_MS * HTTP_SHARE_ALL * 2 +
				counts[i] * 9000);
		assert_int_equal(seen.asked, 6);
		assert_int_equal(seen.waited, 0);
		http_sources_finish(&sources);
		http_sources_init(&sources, 0);
	}
}

static void what_is_owed_is_forgiven_in_time(void **state)
{
	struct http_origin busy = enter("192.0.2.1");

	(void)state;
	http_sources_spend(&sources, &busy, INT64_C(3600000000));
	assert_int_not_equal(http_sources_wait(&sources, &busy, 0), 0);
	assert_int_not_equal(http_sources_wait(&sources, &busy, 59000), 0);
	assert_int_equal(http_sources_wait(&sources, &busy, 61000), 0);
}

static void a_network_shares_one_budget(void **state)
{
	struct http_origin one = enter("2001:db8:1:1::1");
	struct http_origin two = enter("2001:db8:1:ffff::1");

	(void)state;
	http_sources_spend(&sources, &one, 2 * BURST_US);
	assert_int_not_equal(http_sources_wait(&sources, &two, 0), 0);
}

static void the_table_is_bounded(void **state)
{
	struct http_origin stays = enter("203.0.113.1"), goes;
	char text[48];

	(void)state;
	for (int i = 0; i < 3 * HTTP_SOURCES_MAX; i++) {
		(void)snprintf(text, sizeof(text), "2001:db8:%x::1", i);
		goes = enter(text);
		http_sources_leave(&goes);
		assert_true(sources.count <= HTTP_SOURCES_MAX);
	}
	assert_ptr_equal(enter("203.0.113.1").at[0], stays.at[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(sources_are_addresses_and_networks),
		T(who_takes_too_much_waits_until_it_has_grown_again),
		T(who_is_near_may_take_more),
		T(together_they_leave_room_for_who_asks_seldom),
		T(sources_together_keep_to_what_all_may_use),
		T(what_is_owed_is_forgiven_in_time),
		T(a_network_shares_one_budget),
		T(the_table_is_bounded),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
