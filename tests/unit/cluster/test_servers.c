/* SPDX-License-Identifier: MPL-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/redis/asked.h"
#include "cluster/redis/backoff.h"
#include "cluster/redis/keys.h"
#include "cluster/redis/servers.h"

static void servers_are_read(void **state)
{
	static const struct {
		const char *text, *host, *shown;
		unsigned port;
	} cases[] = {
		{"redis", "redis", "redis:6379", 6379},
		{"redis:1", "redis", "redis:1", 1},
		{"192.0.2.1:65535", "192.0.2.1", "192.0.2.1:65535", 65535},
		{"[2001:db8::1]:7000", "2001:db8::1", "[2001:db8::1]:7000",
			7000},
		{"[::1]", "::1", "[::1]:6379", 6379},
		{"/run/redis/socket", "/run/redis/socket", "/run/redis/socket",
			0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct server server;
		struct relay_err err;
		char text[SERVERS_TEXT];

		assert_int_equal(
			server_read(cases[i].text, false, &server, &err), 0);
		assert_string_equal(server.host, cases[i].host);
		assert_int_equal(server.port, cases[i].port);
		server_text(&server, text);
		assert_string_equal(text, cases[i].shown);
	}
}

static void what_is_no_server_is_refused(void **state)
{
	static const char *const wrong[] = {"", ":6379", "host:", "host:0",
		"host:65536", "host:1x", "host:-1", "::1", "[::1", "[]:1",
		"[::1]x", "a b", "a,b:1", "redis://host", "user@host",
		"host:0000001", "[::1]:"};
	char longest[300];
	struct server server;
	struct relay_err err;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (server_read(wrong[i], false, &server, &err) == 0)
			fail_msg("'%s' is a server", wrong[i]);
	memset(longest, 'a', sizeof(longest));
	longest[299] = '\0';
	assert_int_equal(server_read(longest, false, &server, &err), -1);
	longest[0] = '/';
	assert_int_equal(server_read(longest, false, &server, &err), -1);
	longest[108] = '\0';
	assert_int_equal(server_read(longest, false, &server, &err), -1);
	longest[107] = '\0';
	assert_int_equal(server_read(longest, false, &server, &err), 0);
}

static struct servers of(const char *const *list, bool sentinels)
{
	struct servers servers;
	struct relay_err err;

	assert_int_equal(servers_read(&servers, list, sentinels, &err), 0);
	return servers;
}

static void expect(const struct servers *servers, const char *host)
{
	struct server server = servers_next(servers);

	assert_string_equal(server.host, host);
}

static void each_is_tried_in_turn(void **state)
{
	struct servers servers =
		of((const char *const[]){"a", "b", "c", NULL}, false);

	(void)state;
	expect(&servers, "a");
	assert_false(servers_failed(&servers));
	expect(&servers, "b");
	servers_worked(&servers);
	expect(&servers, "b");
	assert_false(servers_failed(&servers));
	assert_false(servers_failed(&servers));
	expect(&servers, "a");
	/* Then there is a pause. */
	assert_true(servers_failed(&servers));
	expect(&servers, "b");
	assert_false(servers_failed(&servers));
}

static void one_server_is_a_round(void **state)
{
	struct servers servers = of((const char *const[]){"a", NULL}, false);

	(void)state;
	assert_true(servers_failed(&servers));
	assert_true(servers_failed(&servers));
	expect(&servers, "a");
}

static void what_another_names_is_tried_at_once(void **state)
{
	struct servers servers =
		of((const char *const[]){"s1", "s2", NULL}, true);
	struct server server = servers_next(&servers);

	(void)state;
	assert_true(server.sentinel);
	assert_int_equal(server.port, SERVERS_PORT_SENTINEL);
	assert_int_equal(servers_lead(&servers, "m", 1, 6380), 0);
	server = servers_next(&servers);
	assert_string_equal(server.host, "m");
	assert_int_equal(server.port, 6380);
	assert_false(server.sentinel);
	/* It fails: the next Sentinel is asked. */
	assert_false(servers_failed(&servers));
	expect(&servers, "s2");
	assert_int_equal(servers_lead(&servers, "m", 1, 6380), 0);
	servers_worked(&servers);
	/* After it is lost, a Sentinel is asked anew. */
	expect(&servers, "s2");
}

static void leading_has_an_end(void **state)
{
	struct servers servers = of((const char *const[]){"a", NULL}, false);

	(void)state;
	for (int i = 0; i < SERVERS_LEADS; i++)
		assert_int_equal(servers_lead(&servers, "b", 1, 1), 0);
	assert_int_equal(servers_lead(&servers, "b", 1, 1), -1);
	assert_true(servers_failed(&servers));
	assert_int_equal(servers_lead(&servers, "", 0, 1), -1);
	assert_int_equal(servers_lead(&servers, "a b", 3, 1), -1);
	assert_int_equal(servers_lead(&servers, "/path", 5, 1), -1);
	assert_int_equal(servers_lead(&servers, "b", 1, 0), -1);
	assert_int_equal(servers_lead(&servers, "b", 1, 65536), -1);
	assert_int_equal(servers_lead(&servers, "::1", 3, 65535), 0);
	expect(&servers, "::1");
}

static void lists_have_bounds(void **state)
{
	const char *list[SERVERS_MOST + 2] = {NULL};
	struct servers servers;
	struct relay_err err;

	(void)state;
	assert_int_equal(servers_read(&servers, NULL, false, &err), -1);
	assert_int_equal(servers_read(&servers, list, false, &err), -1);
	for (size_t i = 0; i <= SERVERS_MOST; i++)
		list[i] = "a";
	assert_int_equal(servers_read(&servers, list, false, &err), -1);
	list[SERVERS_MOST] = NULL;
	assert_int_equal(servers_read(&servers, list, false, &err), 0);
}

static void pauses_double_up_to_a_bound(void **state)
{
	(void)state;
	for (unsigned failures = 0; failures < 100; failures++) {
		int64_t longest = backoff_ms(failures, 0),
			shortest = backoff_ms(failures, UINT32_MAX);

		assert_in_range(shortest, BACKOFF_LEAST_MS, BACKOFF_MOST_MS);
		assert_in_range(longest, shortest + BACKOFF_LEAST_MS / 2,
			BACKOFF_MOST_MS);
		assert_true(
			longest >= backoff_ms(failures ? failures - 1 : 0, 0));
	}
	assert_int_equal(backoff_ms(0, UINT32_MAX), BACKOFF_LEAST_MS + 1);
	assert_int_equal(backoff_ms(50, 0), BACKOFF_MOST_MS);
}

static void keys_have_one_hash_tag(void **state)
{
	uint8_t id[REGISTRY_ID] = {0, 1, 2, '}', [31] = 9};
	struct keys keys;
	struct relay_err err;
	struct key key;

	(void)state;
	assert_int_equal(keys_init(&keys, "relay.example", 0xabc, &err), 0);
	assert_string_equal(
		keys.node.bytes, "st:{relay.example}:node:0000000000000abc");
	assert_string_equal(
		keys.to_self.bytes, "st:{relay.example}:to:0000000000000abc");
	key = keys_to(&keys, 0xabc);
	assert_string_equal(key.bytes, keys.to_self.bytes);
	assert_string_equal(keys.all.bytes, "st:{relay.example}:all");
	key = keys_device(&keys, id);
	assert_int_equal(key.len, strlen("st:{relay.example}:d:") + 32);
	assert_memory_equal(key.bytes, "st:{relay.example}:d:\0\1\2}", 25);
}

static void names_of_clusters_are_plain(void **state)
{
	static const char *const wrong[] = {
		"", "a b", "a{", "a}", "a:b", "*", "a\n", "\xc3\xa9"};
	char longest[KEYS_NAME + 2];
	struct keys keys;
	struct relay_err err;
	struct key key;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(keys_init(&keys, wrong[i], 1, &err), -1);
	memset(longest, 'a', sizeof(longest));
	longest[KEYS_NAME + 1] = '\0';
	assert_int_equal(keys_init(&keys, longest, 1, &err), -1);
	longest[KEYS_NAME] = '\0';
	assert_int_equal(keys_init(&keys, longest, UINT64_MAX, &err), 0);
	key = keys_device(&keys, (const uint8_t *)longest);
	assert_in_range(key.len, KEYS_NAME + 32, KEYS_MOST);
}

static void numbers_are_big_endian(void **state)
{
	static const uint64_t numbers[] = {0, 1, 255, 256, UINT64_C(1) << 53,
		(UINT64_C(1) << 53) + 1, INT64_MAX, UINT64_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		uint8_t bytes[8];

		keys_put(bytes, numbers[i]);
		assert_true(keys_get(bytes) == numbers[i]);
		assert_int_equal(bytes[0], numbers[i] >> 56);
	}
}

static void requests_stay_in_order(void **state)
{
	struct asked_queue queue = {.count = 0};
	struct asked asked = {.kind = ASKED_FIND};
	uint64_t in = 0, out = 0;

	(void)state;
	for (int round = 0; round < 300; round++) {
		for (int i = 0; i < 97; i++) {
			asked.of.number = in++;
			assert_int_equal(asked_push(&queue, &asked), 0);
		}
		asked_unpush(&queue);
		in--;
		for (int i = 0; i < round % 90; i++) {
			assert_true(asked_pop(&queue, &asked));
			assert_int_equal(asked.of.number, out++);
		}
		assert_int_equal(queue.count, in - out);
		assert_int_equal(asked_at(&queue, 0)->of.number, out);
	}
	while (queue.count < ASKED_MOST)
		assert_int_equal(asked_push(&queue, &asked), 0);
	assert_int_equal(asked_push(&queue, &asked), -1);
	asked_free(&queue);
	assert_false(asked_pop(&queue, &asked));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(servers_are_read),
		cmocka_unit_test(what_is_no_server_is_refused),
		cmocka_unit_test(each_is_tried_in_turn),
		cmocka_unit_test(one_server_is_a_round),
		cmocka_unit_test(what_another_names_is_tried_at_once),
		cmocka_unit_test(leading_has_an_end),
		cmocka_unit_test(lists_have_bounds),
		cmocka_unit_test(pauses_double_up_to_a_bound),
		cmocka_unit_test(keys_have_one_hash_tag),
		cmocka_unit_test(names_of_clusters_are_plain),
		cmocka_unit_test(numbers_are_big_endian),
		cmocka_unit_test(requests_stay_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
