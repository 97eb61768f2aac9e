/* SPDX-License-Identifier: MPL-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/redis/keys.h"
#include "cluster/redis/replies.h"

static struct resp_reader reader;

static const struct resp *made_of(const char *text, size_t len)
{
	const struct resp *reply;
	size_t taken;

	assert_int_equal(
		resp_read(&reader, (const uint8_t *)text, len, &reply, &taken),
		RESP_WHOLE);
	assert_int_equal(taken, len);
	return reply;
}

static const struct resp *made(const char *text)
{
	return made_of(text, strlen(text));
}

/* All readers; how many of them took it. */
static int readers_that_take(const struct resp *reply)
{
	struct owner before, now;
	enum find_end end;
	char next[24], sha[41], value[32], text[REPLY_TEXT];
	const struct resp *part;
	const uint8_t *id, *host;
	size_t len;
	uint64_t port;
	struct reply_role role;
	struct reply_info info;
	enum push push;
	struct registry_row row;
	struct registry_page page;
	int took = 0;

	took += reply_claim(reply, &before, &now) == 0;
	took += reply_find(reply, &end) == 0;
	took += reply_leases(reply, next, &part) == 0;
	took += reply_identify(reply, &id) == 0;
	took += reply_loaded(reply, sha) == 0;
	took += reply_role(reply, &role) == 0;
	took += reply_master(reply, &part, &port) == 0;
	took += reply_moved(reply, &host, &len, &port) == 0;
	took += reply_info(reply, &info) == 0;
	took += reply_config(reply, value) == 0;
	took += reply_push(reply, &push, &part) == 0;
	took += reply_row(reply, &row) == 0;
	took += reply_keyed_row(reply, &row) == 0;
	took += reply_rows(reply, &page, &part) == 0;
	reply_describe(reply, text);
	assert_true(strlen(text) < REPLY_TEXT);
	assert_non_null(reply_fault_text(reply_fault(reply)));
	return took;
}

static void wrong_types_are_refused(void **state)
{
	static const char *const none[] = {"+OK\r\n", "+\r\n", "-ERR x\r\n",
		"-\r\n", ":3\r\n", ":-1\r\n", ":9223372036854775807\r\n",
		"*0\r\n", "*1\r\n*0\r\n", "*1\r\n$-1\r\n", "*1\r\n:1\r\n",
		"*2\r\n:1\r\n:2\r\n", "*2\r\n*0\r\n*0\r\n",
		"*3\r\n$-1\r\n$-1\r\n$-1\r\n", "*3\r\n:1\r\n:1\r\n:1\r\n",
		"*3\r\n$5\r\nslave\r\n:1\r\n:1\r\n",
		"*3\r\n$5\r\nslave\r\n*0\r\n:-1\r\n",
		"*3\r\n$7\r\nmessage\r\n:1\r\n:1\r\n",
		"*3\r\n$7\r\nmessage\r\n$1\r\nx\r\n*0\r\n",
		"*2\r\n$7\r\nmessage\r\n:1\r\n", "-MOVED\r\n", "-MOVED \r\n",
		"-MOVED 1\r\n", "-MOVED 1 :\r\n", "-MOVED 1 x:\r\n",
		"-MOVED 1 x:99999999999999999999\r\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		if (readers_that_take(made(none[i])) != 0)
			fail_msg("somebody takes %s", none[i]);
}

/* Every reader and every value of up to three others, two deep. */
static void any_value_is_read_safely(void **state)
{
	static const char *const part[] = {"+OK\r\n", "-ERR\r\n", ":0\r\n",
		":77777777777\r\n", "$-1\r\n", "$0\r\n\r\n", "*-1\r\n",
		"*0\r\n", "$7\r\nmessage\r\n", "$6\r\nmaster\r\n",
		"$5\r\nslave\r\n", "$9\r\nsubscribe\r\n", "$4\r\npong\r\n",
		"$5\r\n26379\r\n",
		"$32\r\n0123456789abcdef0123456789abcdef\r\n",
		"*2\r\n$1\r\n0\r\n*1\r\n:1\r\n",
		"$40\r\n0123456789abcdef0123456789abcdef01234567\r\n"};
	const size_t parts = sizeof(part) / sizeof(part[0]);
	char text[256];

	(void)state;
	for (size_t i = 0; i < parts * parts * parts; i++) {
		const char *a = part[i % parts], *b = part[i / parts % parts],
			   *c = part[i / parts / parts];

		(void)readers_that_take(made(a));
		(void)snprintf(text, sizeof(text), "*1\r\n%s", a);
		(void)readers_that_take(made(text));
		(void)snprintf(text, sizeof(text), "*2\r\n%s%s", a, b);
		(void)readers_that_take(made(text));
		(void)snprintf(text, sizeof(text), "*3\r\n%s%s%s", a, b, c);
		(void)readers_that_take(made(text));
		(void)snprintf(
			text, sizeof(text), "*2\r\n%s*2\r\n%s%s", a, b, c);
		(void)readers_that_take(made(text));
	}
}

static void claims_have_two_owners(void **state)
{
	char text[64] = "$48\r\n";
	struct owner before, now;

	(void)state;
	keys_put((uint8_t *)text + 5, 1);
	keys_put((uint8_t *)text + 13, UINT64_MAX - 1);
	keys_put((uint8_t *)text + 29, 0xfedcba9876543210);
	keys_put((uint8_t *)text + 37, UINT64_MAX);
	memcpy(text + 53, "\r\n", 2);
	assert_int_equal(reply_claim(made_of(text, 55), &before, &now), 0);
	assert_true(before.incarnation == 1 && before.epoch == UINT64_MAX - 1);
	assert_true(now.incarnation == 0xfedcba9876543210 &&
		    now.epoch == UINT64_MAX);
	/* That would mean that there was no answer. */
	keys_put((uint8_t *)text + 29, 0);
	assert_int_equal(reply_claim(made_of(text, 55), &before, &now), -1);
}

#define KEY "0123456789abcdef0123456789abcdef"

static void rows_come_in_pages(void **state)
{
	static const char *const none[] = {"*3\r\n$1\r\n5\r\n$1\r\n9\r\n:1\r\n",
		"*4\r\n$1\r\n5\r\n$1\r\n9\r\n:1\r\n:1\r\n",
		"*4\r\n$1\r\n5\r\n$1\r\n9\r\n$1\r\n1\r\n*0\r\n",
		"*4\r\n$0\r\n\r\n$1\r\n9\r\n:1\r\n*0\r\n",
		"*4\r\n$1\r\n5\r\n$3\r\ninf\r\n:1\r\n*0\r\n",
		"*4\r\n$2\r\n-1\r\n$1\r\n9\r\n:1\r\n*0\r\n",
		"*4\r\n$5\r\n1e+99\r\n$1\r\n9\r\n:1\r\n*0\r\n",
		"*4\r\n$16\r\n9007199254740993\r\n$1\r\n9\r\n:1\r\n*0\r\n"};
	const struct resp *rows;
	struct registry_page page;
	struct registry_row row;

	(void)state;
	assert_int_equal(
		reply_rows(made("*4\r\n$1\r\n5\r\n$15\r\n"
				"999999999999999\r\n:1\r\n*2\r\n$34\r\n" KEY
				"xy\r\n$32\r\n" KEY "\r\n"),
			&page, &rows),
		0);
	assert_true(page.answered && page.more && page.next == 5 &&
		    page.last == UINT64_C(999999999999999));
	assert_int_equal(rows->count, 2);
	assert_int_equal(reply_keyed_row(&rows->of[0], &row), 0);
	assert_memory_equal(row.key, KEY, REGISTRY_ID);
	assert_int_equal(row.len, 2);
	assert_memory_equal(row.bytes, "xy", 2);
	assert_int_equal(reply_keyed_row(&rows->of[1], &row), -1);
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_int_equal(reply_rows(made(none[i]), &page, &rows), -1);
	assert_int_equal(reply_row(made("$2\r\nxy\r\n"), &row), 0);
	assert_int_equal(reply_row(made("$0\r\n\r\n"), &row), -1);
	assert_int_equal(reply_row(made(":1\r\n"), &row), -1);
}

static void roles_are_told(void **state)
{
	struct reply_role role;

	(void)state;
	assert_int_equal(
		reply_role(made("*3\r\n$6\r\nmaster\r\n:9\r\n*0\r\n"), &role),
		0);
	assert_int_equal(role.role, ROLE_PRIMARY);
	assert_int_equal(
		reply_role(made("*5\r\n$5\r\nslave\r\n$4\r\nhost\r\n:6379\r\n"
				"$9\r\nconnected\r\n:7\r\n"),
			&role),
		0);
	assert_int_equal(role.role, ROLE_REPLICA);
	assert_true(resp_is(role.host, "host"));
	assert_int_equal(role.port, 6379);
	assert_int_equal(
		reply_role(made("*2\r\n$8\r\nsentinel\r\n*0\r\n"), &role), 0);
	assert_int_equal(role.role, ROLE_SENTINEL);
}

static void servers_that_are_named(void **state)
{
	const struct resp *host;
	const uint8_t *at;
	size_t len;
	uint64_t port = 0;

	(void)state;
	assert_int_equal(reply_master(made("*2\r\n$2\r\n::\r\n$4\r\n6380\r\n"),
				 &host, &port),
		0);
	assert_true(resp_is(host, "::"));
	assert_int_equal(port, 6380);
	assert_int_equal(reply_master(made("*-1\r\n"), &host, &port), 0);
	assert_null(host);
	assert_int_equal(reply_moved(made("-MOVED 3999 fe80::1:6381\r\n"), &at,
				 &len, &port),
		0);
	assert_int_equal(len, 7);
	assert_memory_equal(at, "fe80::1", 7);
	assert_int_equal(port, 6381);
}

static void versions_and_ids(void **state)
{
	static const char *const text[] = {
		"# Server\r\nredis_version:7.0.15\r\nredis_mode:x\r\nrun_id:"
		"0123456789012345678901234567890123456789\r\nuptime:1\r\n",
		"run_id:0123456789012345678901234567890123456789extra\r\n"
		"redis_version:255.255.255\r\n",
		"redis_version:\r\nrun_id:\r\n", "redis_version:7\r\nrun_id:a",
		"", "\n\n:\n", "redis_version:99999999999999.x"};
	const struct {
		unsigned major, minor;
		size_t id;
	} want[] = {{7, 0, 40}, {255, 255, 40}, {0, 0, 0}, {7, 0, 1}, {0, 0, 0},
		{0, 0, 0}, {9999, 0, 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
		struct reply_info info;
		char reply[300];

		(void)snprintf(reply, sizeof(reply), "$%zu\r\n%s\r\n",
			strlen(text[i]), text[i]);
		assert_int_equal(reply_info(made(reply), &info), 0);
		assert_int_equal(strlen(info.run_id), want[i].id);
		assert_int_equal(info.minor, want[i].minor);
		if (want[i].major < 1000)
			assert_int_equal(info.major, want[i].major);
	}
}

static void errors_have_kinds(void **state)
{
	static const struct {
		const char *text;
		enum redis_fault fault;
	} cases[] = {
		{"+OK", REDIS_FAULTS},
		{"-WRONGTYPE Operation against a key", REDIS_FAULT_TYPE},
		{"-OOM command not allowed when used memory > 'maxmemory'.",
			REDIS_FAULT_MEMORY},
		/* Version 6.2, from within a script. */
		{"-ERR Error running script (call to f_1): @user_script:9: "
		 "@user_script: 9: -OOM command not allowed when used memory",
			REDIS_FAULT_MEMORY},
		{"-ERR Error running script (call to f_1): @user_script:1: "
		 "WRONGTYPE Operation against a key holding",
			REDIS_FAULT_TYPE},
		{"-READONLY You can't write against a read only replica.",
			REDIS_FAULT_MOVED},
		{"-ERR Error running script: -READONLY You can't write against",
			REDIS_FAULT_MOVED},
		{"-MOVED 1 x:1", REDIS_FAULT_MOVED},
		{"-CLUSTERDOWN The cluster is down", REDIS_FAULT_MOVED},
		{"-NOAUTH Authentication required.", REDIS_FAULT_RIGHTS},
		{"-NOPERM this user has no permissions", REDIS_FAULT_RIGHTS},
		{"-ERR unknown command 'EVALSHA', with args",
			REDIS_FAULT_RIGHTS},
		{"-NOSCRIPT No matching script.", REDIS_FAULT_SCRIPT},
		{"-LOADING Redis is loading", REDIS_FAULT_BUSY},
		{"-BUSY Redis is busy", REDIS_FAULT_BUSY},
		{"-BUSYBODY is no word of its", REDIS_FAULT_OTHER},
		{"-ERR value is not an integer", REDIS_FAULT_OTHER},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char reply[200];

		(void)snprintf(reply, sizeof(reply), "%s\r\n", cases[i].text);
		assert_int_equal(reply_fault(made(reply)), cases[i].fault);
	}
}

static void texts_in_messages_are_plain(void **state)
{
	char text[REPLY_TEXT], reply[400];

	(void)state;
	reply_describe(made("-ERR \x1b[31m\x07 red\r\n"), text);
	assert_string_equal(text, "ERR ?[31m? red");
	memset(reply, 'x', sizeof(reply));
	reply[0] = '-';
	memcpy(reply + sizeof(reply) - 3, "\r\n", 3);
	reply_describe(made(reply), text);
	assert_int_equal(strlen(text), REPLY_TEXT - 1);
	reply_describe(made("$6\r\nsecret\r\n"), text);
	assert_string_equal(text, "(a text)");
}

static void what_comes_to_a_subscription(void **state)
{
	enum push push;
	const struct resp *bytes;

	(void)state;
	assert_int_equal(reply_push(made("*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n"
					 "$2\r\nhi\r\n"),
				 &push, &bytes),
		0);
	assert_int_equal(push, PUSH_MESSAGE);
	assert_true(resp_is(bytes, "hi"));
	assert_int_equal(
		reply_push(made("*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n"),
			&push, &bytes),
		0);
	assert_int_equal(push, PUSH_SUBSCRIBED);
	assert_int_equal(reply_push(made("*2\r\n$4\r\npong\r\n$0\r\n\r\n"),
				 &push, &bytes),
		0);
	assert_int_equal(push, PUSH_PONG);
	assert_int_equal(reply_push(made("+PONG\r\n"), &push, &bytes), 0);
	assert_int_equal(push, PUSH_PONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_types_are_refused),
		cmocka_unit_test(any_value_is_read_safely),
		cmocka_unit_test(claims_have_two_owners),
		cmocka_unit_test(rows_come_in_pages),
		cmocka_unit_test(roles_are_told),
		cmocka_unit_test(servers_that_are_named),
		cmocka_unit_test(versions_and_ids),
		cmocka_unit_test(errors_have_kinds),
		cmocka_unit_test(texts_in_messages_are_plain),
		cmocka_unit_test(what_comes_to_a_subscription),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
