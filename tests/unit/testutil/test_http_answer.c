/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of reading a pool's HTTP answer. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "http_answer.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))
#define OK     "HTTP/1.1 200 OK\r\n"

static enum http_state read_text(
	const char *text, bool ended, struct http_answer *out, char *err)
{
	static char data[4096];
	struct relay_err why = {""};
	size_t len = strlen(text);
	enum http_state state;

	assert_true(len < sizeof(data));
	memcpy(data, text, len);
	state = http_answer_read(data, len, ended, out, &why);
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
		assert_memory_equal(a.body, rows[i].body, a.body_len);
	}
}

/* Whatever is cut off is waited for, and in the end an error. */
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
	assert_memory_equal(a.body, "ab0\r\n\r\ncd", 9);
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
	assert_memory_equal(a.location, "/x", 2);
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
		{OK "Transfer-Encoding: gzip\r\n\r\n", "encoding"},
		{OK "Transfer-Encoding: chunked\r\n\r\n", "cut off"},
		{OK "Transfer-Encoding: chunked\r\n\r\nx\r\n", "cut off"},
		{OK "Transfer-Encoding: chunked\r\n\r\n-1\r\nabc", "cut off"},
		{OK "Transfer-Encoding: chunked\r\n\r\n"
		    "ffffffffffffffff\r\nabc\r\n0\r\n\r\n",
			"cut off"},
		{OK "Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n",
			"cut off"},
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
	static char data[HTTP_HEAD_MAX + 10];
	struct http_answer a;

	(void)state;
	memset(data, 'a', sizeof(data));
	assert_int_equal(
		http_answer_read(data, HTTP_HEAD_MAX - 1, false, &a, NULL),
		HTTP_MORE);
	assert_int_equal(http_answer_read(data, HTTP_HEAD_MAX, false, &a, NULL),
		HTTP_BAD);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
