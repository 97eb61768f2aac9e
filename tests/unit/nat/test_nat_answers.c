/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of parsing answers of gateways: HTTP in pieces, and addresses. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <cmocka.h>

#include "http_body.h"
#include "external_address.h"

#define LIMIT 20000
#define OK_   "HTTP/1.1 200 OK\r\n"

/* Feeds pieces of `step` bytes, each in its own block, so that a sanitizer
 * detects reads beyond them. */
static enum http_progress feed(
	struct http_body *body, const char *text, size_t len, size_t step)
{
	enum http_progress progress = HTTP_MORE;
	size_t at = 0;

	*body = (struct http_body){.limit = LIMIT};
	while (progress == HTTP_MORE && at < len) {
		size_t piece = len - at < step ? len - at : step;
		char *grown = realloc(body->text, at + piece);

		assert_non_null(grown);
		memcpy(grown + at, text + at, piece);
		body->text = grown;
		at += piece;
		body->len = at;
		progress = http_body_read(body, false);
	}
	if (progress == HTTP_MORE)
		progress = http_body_read(body, true);
	return progress;
}

static void check(const char *text, enum http_progress wanted, const char *is)
{
	static const size_t steps[] = {1, 2, 3, 7, LIMIT};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct http_body body;
		enum http_progress progress =
			feed(&body, text, strlen(text), steps[i]);

		if (progress != wanted)
			fail_msg("%.60s by %zu: %d", text, steps[i], progress);
		if (is) {
			assert_int_equal(body.size, strlen(is));
			assert_memory_equal(
				body.text + body.head, is, strlen(is));
		}
		free(body.text);
	}
}

static void answers_are_read_in_any_pieces(void **state)
{
	(void)state;
	check(OK_ "Content-Length: 5\r\n\r\nhello", HTTP_DONE, "hello");
	check(OK_ "content-length:5 \r\nX: y\r\n\r\nhello", HTTP_DONE, "hello");
	check(OK_ "Content-Length: 0\r\n\r\n", HTTP_DONE, "");
	check(OK_ "\r\nall until the end", HTTP_DONE, "all until the end");
	check(OK_ "Content-Length: 50\r\n\r\nless", HTTP_DONE, "less");
	check(OK_ "Transfer-Encoding: chunked\r\n\r\n"
		  "5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n",
		HTTP_DONE, "hello world");
	check(OK_ "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", HTTP_DONE, "");
}

static void nonsense_is_none(void **state)
{
	(void)state;
	check("", HTTP_WRONG, NULL);
	check("junk\r\n\r\n", HTTP_WRONG, NULL);
	check("\r\n\r\n", HTTP_WRONG, NULL);
	check("HTTP/1.1 2x0 OK\r\n\r\n", HTTP_WRONG, NULL);
	check(OK_ "no end", HTTP_WRONG, NULL);
	check(OK_ "Content-Length: -5\r\n\r\n", HTTP_WRONG, NULL);
	check(OK_ "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", HTTP_WRONG,
		NULL);
	check(OK_ "Transfer-Encoding: gzip\r\n\r\n", HTTP_WRONG, NULL);
	check(OK_ "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", HTTP_WRONG,
		NULL);
	check(OK_ "Transfer-Encoding: chunked\r\n\r\n5\r\nhel", HTTP_WRONG,
		NULL);
}

static void too_much_is_told_by_the_announcement(void **state)
{
	(void)state;
	check(OK_ "Content-Length: 2147483647\r\n\r\n", HTTP_TOO_MUCH, NULL);
	check(OK_ "Content-Length: 99999999999999999999999\r\n\r\n",
		HTTP_TOO_MUCH, NULL);
	check(OK_ "Transfer-Encoding: chunked\r\n\r\n7fffffff\r\n",
		HTTP_TOO_MUCH, NULL);
	check(OK_ "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffffff\r\n",
		HTTP_TOO_MUCH, NULL);
}

static void a_head_has_an_end(void **state)
{
	static char text[HTTP_HEAD_MAX + 100];
	struct http_body body;

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_int_equal(feed(&body, text, sizeof(text), 1000), HTTP_TOO_MUCH);
	free(body.text);
}

static bool reaches(const char *text)
{
	struct refusals refusals = {.counts = {0}};
	struct in_addr address;
	bool good;

	assert_int_equal(inet_pton(AF_INET, text, &address), 1);
	good = external_address_is_usable(address, &refusals);
	assert_int_equal(refusals.counts[REFUSAL_ADDRESS], good ? 0 : 1);
	return good;
}

static void only_addresses_of_the_internet_are_told(void **state)
{
	static const char *const none[] = {"0.0.0.0", "0.1.2.3", "10.0.0.1",
		"100.64.0.1", "127.0.0.1", "169.254.1.1", "172.31.0.1",
		"192.168.1.7", "224.0.0.1", "240.0.0.1", "255.255.255.255"};
	static const char *const good[] = {"11.22.33.1", "100.128.0.1",
		"172.32.0.1", "192.169.0.1", "223.255.255.255"};

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_false(reaches(none[i]));
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(reaches(good[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_read_in_any_pieces),
		cmocka_unit_test(nonsense_is_none),
		cmocka_unit_test(too_much_is_told_by_the_announcement),
		cmocka_unit_test(a_head_has_an_end),
		cmocka_unit_test(only_addresses_of_the_internet_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
