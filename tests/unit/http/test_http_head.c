/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the parser of request heads. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "http/http_head.h"
#include "http/http_hosts.h"

static struct http_head head;
static char data[HTTP_HEAD_MAX + 1];

/* -1: no complete head; otherwise the result of http_head_parse(). */
static int parse(const char *text)
{
	int len = http_head_end(text, strlen(text), 0);

	assert_int_not_equal(len, 0);
	if (len < 0)
		return -1;
	memcpy(data, text, (size_t)len);
	return http_head_parse(data, (size_t)len, &head);
}

static void a_head_is_taken_apart(void **state)
{
	(void)state;
	assert_int_equal(parse("GET /a/b?c=%20?d HTTP/1.1\r\nHost: x:1\r\n"
			       "A:  b c \t\r\nempty:\r\n\r\nGET"),
		0);
	assert_string_equal(head.method, "GET");
	assert_string_equal(head.path, "/a/b");
	assert_string_equal(head.query, "c=%20?d");
	assert_string_equal(head.host, "x:1");
	assert_string_equal(http_head_find(&head, "a"), "b c");
	assert_string_equal(http_head_find(&head, "EMPTY"), "");
	assert_null(http_head_find(&head, "b"));
	assert_int_equal(head.minor, 1);
	assert_true(head.persistent);
	assert_false(head.has_body);
}

static void the_end_is_found_in_any_pieces(void **state)
{
	static const char text[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
	size_t len = sizeof(text) - 1;

	(void)state;
	for (size_t seen = 0; seen < len; seen++) {
		assert_int_equal(http_head_end(text, seen, 0), 0);
		assert_int_equal(http_head_end(text, len, seen), (int)len);
	}
}

static void what_proxies_might_read_differently_is_refused(void **state)
{
#define START "GET / HTTP/1.1\r\nHost: x\r\n"
	static const struct {
		const char *text;
		int want;
	} cases[] = {
		{"GET / HTTP/1.1\nHost: x\n\n", -1},
		{START "A: b\n\r\n", -1},
		{START "A: b\rc: d\r\n\r\n", -1},
		{START "A: b\001\r\n\r\n", -1},
		{"\x16\x03\x01", -1},
		{START " folded\r\n\r\n", 400},
		{START "A: b\r\n folded: x\r\n\r\n", 400},
		{START "A\r\n\r\n", 400},
		{START ": b\r\n\r\n", 400},
		{START "A : b\r\n\r\n", 400},
		{START "Transfer-Encoding : chunked\r\n\r\n", 400},
		{START "Content-Length: +5\r\n\r\n", 400},
		{START "Content-Length: -1\r\n\r\n", 400},
		{START "Content-Length: 0x5\r\n\r\n", 400},
		{START "Content-Length: 5, 5\r\n\r\n", 400},
		{START "Content-Length:\r\n\r\n", 400},
		{START "Content-Length: 99999999999999999999\r\n\r\n", 400},
		{START "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", 400},
		{START "Content-Length: 5\r\nTransfer-Encoding: x\r\n\r\n",
			400},
		{"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
		{START "Content-Length: 4097\r\n\r\n", 413},
		/* 0 in 32 bits. */
		{START "Content-Length: 4294967296\r\n\r\n", 413},
		{START "Host: y\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
		{"GET / HTTP/2.0\r\n\r\n", 505},
		{"GET / HTTP/1.10\r\n\r\n", 400},
		{"GET / http/1.1\r\n\r\n", 400},
		{"GET  / HTTP/1.1\r\n\r\n", 400},
		{"GET /a b HTTP/1.1\r\n\r\n", 400},
		{"GET /\xc3\xa4 HTTP/1.1\r\nHost: x\r\n\r\n", 400},
		{"GET\r\n\r\n", 400},
		{"G(T / HTTP/1.1\r\n\r\n", 400},
		{"\r\n", 400},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (parse(cases[i].text) != cases[i].want)
			fail_msg("%s", cases[i].text);
	}
}

static void bodies_are_noticed(void **state)
{
	(void)state;
	assert_int_equal(parse(START "Content-Length: 0\r\n\r\n"), 0);
	assert_false(head.has_body);
	assert_int_equal(parse(START "Content-Length: 4096\r\n\r\n"), 0);
	assert_true(head.has_body);
	assert_int_equal(parse(START "Transfer-Encoding: gzip\r\n\r\n"), 0);
	assert_true(head.has_body);
}

static void persistence_follows_version_and_connection(void **state)
{
	(void)state;
	assert_int_equal(parse("GET / HTTP/1.0\r\n\r\n"), 0);
	assert_false(head.persistent);
	assert_int_equal(
		parse("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"), 0);
	assert_true(head.persistent);
	assert_int_equal(parse(START "Connection: x, Close\r\n\r\n"), 0);
	assert_false(head.persistent);
	assert_int_equal(parse(START "Connection: closed\r\n\r\n"), 0);
	assert_true(head.persistent);
}

static void fields_are_bounded(void **state)
{
	char text[HTTP_HEAD_MAX];

	(void)state;
	for (int n = HTTP_FIELDS_MAX - 1; n <= HTTP_FIELDS_MAX; n++) {
		strcpy(text, START);
		for (int i = 0; i < n; i++)
			strcat(text, "A: b\r\n");
		strcat(text, "\r\n");
		assert_int_equal(parse(text), n < HTTP_FIELDS_MAX ? 0 : 431);
	}
}

static void private_routes_have_few_names(void **state)
{
	static const char *const more[] = {"relay.example.org", NULL};
	static const char *const good[] = {"127.0.0.1", "127.0.0.1:80",
		"[::1]:80", "[fd00::1]", "localhost", "LOCALHOST:1",
		"localhost:", "localhost.", "localhost.:80",
		"relay.example.org:9", "Relay.Example.Org."};
	static const char *const bad[] = {"", ":80", "evil.example",
		"localhost.evil.example", "127.0.0.1.evil.example", "1.2.3",
		"xrelay.example.org", "[evil]", "0x7f000001",
		"127.0.0.1:80.evil.example", "127.0.0.1:evil.example",
		"localhost:80@evil.example", "localhost:80:80", "[::1].evil",
		"[::1]:80.evil.example", "[::1", "[127.0.0.1]", "[localhost]",
		"::1", "[]", "localhost:-1", "localhost: 80", ".",
		"localhost.."};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(http_host_allowed(good[i], more));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(http_host_allowed(bad[i], more));
	assert_false(http_host_allowed("relay.example.org", NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_head_is_taken_apart),
		cmocka_unit_test(the_end_is_found_in_any_pieces),
		cmocka_unit_test(
			what_proxies_might_read_differently_is_refused),
		cmocka_unit_test(bodies_are_noticed),
		cmocka_unit_test(persistence_follows_version_and_connection),
		cmocka_unit_test(fields_are_bounded),
		cmocka_unit_test(private_routes_have_few_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
