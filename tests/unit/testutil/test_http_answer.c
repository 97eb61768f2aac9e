/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of parsing a pool's HTTP answer. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "http_answer.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))
#define OK     "HTTP/1.1 200 OK\r\n"

static char data[4096];

static enum http_state read_text(
	const char *text, bool ended, struct http_answer *out, char *err)
{
	struct relay_err why = {""};
	size_t len = strlen(text);
	enum http_state state;

	assert_true(len < sizeof(data));
	memcpy(data, text, len);
	memset(out, 0, sizeof(*out));
	state = http_answer_read(out, data, len, ended, &why);
	memcpy(err, why.text, sizeof(why.text));
	return state;
}

static void reads_bodies(void **state)
{
	static const struct {
		const char *text;
		bool ended;
		const char *body;
	} rows[] = {
		{OK "\r\nabc", true, "abc"},
		{OK "\r\n", true, ""},
		{"HTTP/1.0 200\r\n\r\nabc", true, "abc"},
		{"HTTP/1.1 200 \n\nabc", true, "abc"},
		{OK "Content-Length: 3\r\n\r\nabc", false, "abc"},
		{OK "content-LENGTH:3 \r\n\r\nabcde", false, "abc"},
		{OK "Content-Length: 0\r\n\r\n", false, ""},
		{OK "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
		    "B;x=y\r\n01234567890\r\n0\r\n\r\n",
			false, "abc01234567890"},
		{OK "transfer-encoding: Chunked\r\n\r\n1\na\n0\n", true, "a"},
		{OK "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n", false,
			"a"},
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct http_answer a;
		char err[256];

		if (read_text(rows[i].text, rows[i].ended, &a, err) !=
			HTTP_DONE)
			fail_msg("row %zu: %s", i, err);
		assert_int_equal(a.status, 200);
		assert_int_equal(a.body_len, strlen(rows[i].body));
		assert_memory_equal(data + a.body, rows[i].body, a.body_len);
	}
}

/* An incomplete answer is waited for.  If the connection ends, it is an error.
 */
static void waits_for_the_rest(void **state)
{
	static const char *const rows[] = {
		OK "Content-Length: 3\r\n\r\nabc",
		OK "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		size_t len = strlen(rows[i]) - (i ? 4 : 0);

		for (size_t cut = 0; cut < len; cut++) {
			struct http_answer a;
			char text[256], err[256];

			(void)snprintf(
				text, sizeof(text), "%.*s", (int)cut, rows[i]);
			assert_int_equal(
				read_text(text, false, &a, err), HTTP_MORE);
			assert_int_equal(
				read_text(text, true, &a, err), HTTP_BAD);
		}
	}
}

static void is_not_fooled_by_what_looks_like_the_last_chunk(void **state)
{
	static const char start[] =
		OK "Transfer-Encoding: chunked\r\n\r\n9\r\nab0\r\n\r\n";
	static const char whole[] = OK "Transfer-Encoding: chunked\r\n\r\n"
				       "9\r\nab0\r\n\r\ncd\r\n0\r\n\r\n";
	struct http_answer a;
	char err[256];

	(void)state;
	assert_int_equal(read_text(start, false, &a, err), HTTP_MORE);
	assert_int_equal(read_text(whole, false, &a, err), HTTP_DONE);
	assert_int_equal(a.body_len, 9);
	assert_memory_equal(data + a.body, "ab0\r\n\r\ncd", 9);
}

static void reads_redirections(void **state)
{
	struct http_answer a;
	char err[256];

	(void)state;
	assert_int_equal(read_text("HTTP/1.1 302 Found\r\nLocation:  /x \r\n"
				   "Content-Length: 0\r\n\r\n",
				 false, &a, err),
		HTTP_DONE);
	assert_int_equal(a.status, 302);
	assert_int_equal(a.location_len, 2);
	assert_memory_equal(data + a.location, "/x", 2);
}

static void refuses_what_is_no_answer(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{"\r\n\r\n", "no HTTP/1"},
		{"HTTP/2 200 OK\r\n\r\n", "no HTTP/1"},
		{"HTTP/1.1 099 x\r\n\r\n", "no HTTP/1"},
		{"HTTP/1.1 600 x\r\n\r\n", "no HTTP/1"},
		{"HTTP/1.1 abc\r\n\r\n", "no HTTP/1"},
		{"SSH-2.0-OpenSSH_9.2\r\n", "no HTTP/1"},
		{OK "no colon\r\n\r\n", "without \":\""},
		{OK "Content-Length: -1\r\n\r\n", "Content-Length"},
		{OK "Content-Length: 1x\r\n\r\n", "Content-Length"},
		{OK "Content-Length:\r\n\r\n", "Content-Length"},
		{OK "Content-Length: 99999999999999999999\r\n\r\n",
			"Content-Length"},
		{OK "Content-Length: 4\r\n\r\nabc", "cut off"},
		/* 3 in 32 bits. */
		{OK "Content-Length: 4294967299\r\n\r\nabc", "cut off"},
		{OK "Transfer-Encoding: gzip\r\n\r\n", "encoding"},
		{OK "Transfer-Encoding: chunked\r\n\r\n", "cut off"},
		{OK "Transfer-Encoding: chunked\r\n\r\nx\r\n",
			"chunk without a length"},
		{OK "Transfer-Encoding: chunked\r\n\r\n-1\r\nabc",
			"chunk without a length"},
		{OK "Transfer-Encoding: chunked\r\n\r\n"
		    "ffffffffffffffff\r\nabc\r\n0\r\n\r\n",
			"chunk without a length"},
		{OK "Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n",
			"chunk without an end"},
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct http_answer a;
		char err[256];
		enum http_state got = read_text(rows[i].text, true, &a, err);

		if (got != HTTP_BAD || !strstr(err, rows[i].why))
			fail_msg("row %zu: got %d \"%s\", want \"%s\"", i,
				(int)got, err, rows[i].why);
	}
}

static void bounds_the_head(void **state)
{
	static char head[HTTP_HEAD_MAX + 10];
	struct http_answer a = {0};

	(void)state;
	memset(head, 'a', sizeof(head));
	assert_int_equal(
		http_answer_read(&a, head, HTTP_HEAD_MAX - 1, false, NULL),
		HTTP_MORE);
	assert_int_equal(http_answer_read(&a, head, HTTP_HEAD_MAX, false, NULL),
		HTTP_BAD);
	/* One whose last line ends beyond it. */
	memcpy(head, OK "X:", sizeof(OK "X:") - 1);
	memcpy(head + HTTP_HEAD_MAX - 1, "\r\n\r\n", 4);
	memset(&a, 0, sizeof(a));
	assert_int_equal(http_answer_read(&a, head, sizeof(head), false, NULL),
		HTTP_BAD);
}

/* Each piece ends like the last chunk, and none is.  If all that is there were
 * parsed again with each piece, this would take hours. */
static void parses_nothing_twice(void **state)
{
	static const char head[] = OK "Transfer-Encoding: chunked\r\n\r\n";
	static const char piece[] = "5\r\n0\r\n\r\n\r\n", last[] = "0\r\n\r\n";
	enum { PIECES = 500000, PIECE = sizeof(piece) - 1 };
	size_t len = sizeof(head) - 1;
	char *text = malloc(len + PIECES * PIECE + sizeof(last));
	struct http_answer a = {0};

	(void)state;
	assert_non_null(text);
	memcpy(text, head, len);
	for (int i = 0; i < PIECES; i++) {
		memcpy(text + len, piece, PIECE);
		len += PIECE;
		assert_int_equal(
			http_answer_read(&a, text, len - 2, false, NULL),
			HTTP_MORE);
	}
	memcpy(text + len, last, sizeof(last));
	len += sizeof(last) - 1;
	assert_int_equal(
		http_answer_read(&a, text, len, false, NULL), HTTP_DONE);
	assert_int_equal(a.body_len, 5 * PIECES);
	free(text);
}

/* Lines without an end, a byte at a time. */
static void searches_nothing_twice(void **state)
{
	static const char head[] = OK "Transfer-Encoding: chunked\r\n\r\n5;";
	enum { MOST = 3000000 };
	size_t len = sizeof(head) - 1;
	char *text = malloc(len + MOST);
	struct http_answer a = {0};

	(void)state;
	assert_non_null(text);
	memcpy(text, head, len);
	memset(text + len, 'x', MOST);
	for (size_t i = 0; i < MOST; i++)
		assert_int_equal(
			http_answer_read(&a, text, len + i, false, NULL),
			HTTP_MORE);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_bodies),
		cmocka_unit_test(waits_for_the_rest),
		cmocka_unit_test(
			is_not_fooled_by_what_looks_like_the_last_chunk),
		cmocka_unit_test(reads_redirections),
		cmocka_unit_test(refuses_what_is_no_answer),
		cmocka_unit_test(bounds_the_head),
		cmocka_unit_test(parses_nothing_twice),
		cmocka_unit_test(searches_nothing_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
