/* SPDX-License-Identifier: MPL-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/redis/resp.h"

static struct resp_reader reader;
static const struct resp *got;
static size_t taken;

static enum resp_end read_bytes(const char *text, size_t len)
{
	return resp_read(&reader, (const uint8_t *)text, len, &got, &taken);
}

static enum resp_end read_text(const char *text)
{
	return read_bytes(text, strlen(text));
}

static void reads_each_type(void **state)
{
	(void)state;
	assert_int_equal(read_text("+OK\r\n"), RESP_WHOLE);
	assert_int_equal(got->type, RESP_STATUS);
	assert_true(resp_is(got, "ok"));
	assert_int_equal(taken, 5);
	assert_int_equal(read_text("-ERR no\r\n"), RESP_WHOLE);
	assert_int_equal(got->type, RESP_ERROR);
	assert_int_equal(got->len, 6);
	assert_false(resp_is(got, "ERR no"));
	assert_int_equal(read_text(":-12\r\n+more"), RESP_WHOLE);
	assert_int_equal(got->type, RESP_INTEGER);
	assert_int_equal(got->number, -12);
	assert_int_equal(taken, 6);
	assert_int_equal(read_text("$-1\r\n"), RESP_WHOLE);
	assert_int_equal(got->type, RESP_NIL);
	assert_int_equal(read_text("*-1\r\n"), RESP_WHOLE);
	assert_int_equal(got->type, RESP_NIL);
	assert_int_equal(read_bytes("$4\r\na\0\r\n\r\n", 10), RESP_WHOLE);
	assert_int_equal(got->type, RESP_TEXT);
	assert_int_equal(got->len, 4);
	assert_memory_equal(got->bytes, "a\0\r\n", 4);
	assert_int_equal(read_text("$0\r\n\r\n"), RESP_WHOLE);
	assert_int_equal(got->len, 0);
}

static void reads_lists_in_lists(void **state)
{
	(void)state;
	assert_int_equal(read_text("*3\r\n:1\r\n*2\r\n+a\r\n$1\r\nb\r\n*0\r\n"),
		RESP_WHOLE);
	assert_int_equal(got->count, 3);
	assert_int_equal(got->of[0].number, 1);
	assert_int_equal(got->of[1].count, 2);
	assert_true(resp_is(&got->of[1].of[1], "b"));
	assert_int_equal(got->of[2].type, RESP_ARRAY);
	assert_int_equal(got->of[2].count, 0);
}

static void any_beginning_wants_more(void **state)
{
	static const char whole[] =
		"*3\r\n$5\r\nhello\r\n:-9223372036854775808\r\n*1\r\n-X\r\n";

	(void)state;
	for (size_t len = 0; len < sizeof(whole) - 1; len++)
		assert_int_equal(read_bytes(whole, len), RESP_MORE);
	assert_int_equal(read_text(whole), RESP_WHOLE);
	assert_true(got->of[1].number == INT64_MIN);
}

static void numbers_have_bounds(void **state)
{
	static const char *const wrong[] = {":\r\n", ":-\r\n", ":1x\r\n",
		":9223372036854775808\r\n", ":-9223372036854775809\r\n",
		": 1\r\n", ":99999999999999999999\r\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(read_text(wrong[i]), RESP_BROKEN);
	assert_int_equal(read_text(":9223372036854775807\r\n"), RESP_WHOLE);
	assert_true(got->number == INT64_MAX);
	assert_int_equal(read_text(":+5\r\n"), RESP_WHOLE);
	assert_int_equal(got->number, 5);
}

static void other_protocols_are_broken(void **state)
{
	static const char *const wrong[] = {"HTTP/1.1 400\r\n", "$2\r\nabc\r\n",
		"$-2\r\n", "*-2\r\n", "+a\rb\r\n", "$600000\r\n", "*2000\r\n",
		"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n", "_\r\n",
		"*9223372036854775807\r\n", "$9223372036854775807\r\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(read_text(wrong[i]), RESP_BROKEN);
}

/* Lists of lists have as many values together. */
static void values_have_a_bound(void **state)
{
	char text[16384];
	size_t len = (size_t)snprintf(text, sizeof(text), "*2\r\n*600\r\n");

	(void)state;
	for (int i = 0; i < 600; i++)
		len += (size_t)snprintf(
			text + len, sizeof(text) - len, ":1\r\n");
	(void)snprintf(text + len, sizeof(text) - len, "*600\r\n");
	assert_int_equal(read_text(text), RESP_BROKEN);
}

/* More than the most without an end is not waited for. */
static void endless_answers_are_broken(void **state)
{
	size_t len = RESP_MOST + 2;
	char *text = malloc(len);

	(void)state;
	assert_non_null(text);
	memset(text, 'a', len);
	text[0] = '+';
	assert_int_equal(read_bytes(text, len), RESP_BROKEN);
	free(text);
}

/* Whatever comes, only what is there is read; run with a sanitizer. */
static void noise_is_read_safely(void **state)
{
	static const char signs[] = "+-:$*0123456789\r\n\r\n\r\na";
	uint64_t seed = 88172645463325252U;

	(void)state;
	for (int round = 0; round < 200000; round++) {
		char noise[48];
		char *exact;
		size_t len = (size_t)(seed % sizeof(noise));

		for (size_t i = 0; i < len; i++) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			noise[i] = signs[seed % (sizeof(signs) - 1)];
		}
		seed ^= seed << 13;
		seed ^= seed >> 7;
		exact = malloc(len ? len : 1);
		assert_non_null(exact);
		memcpy(exact, noise, len);
		if (read_bytes(exact, len) == RESP_WHOLE)
			assert_true(taken <= len);
		free(exact);
	}
}

static void commands_are_written(void **state)
{
	struct bytes out = {.memory = NULL};
	const struct resp_part parts[] = {RESP_PART("PING"), {"a\0b", 3}};
	static const char want[] = "*2\r\n$4\r\nPING\r\n$3\r\na\0b\r\n";

	(void)state;
	assert_int_equal(resp_command(&out, parts, 2, 1000), 0);
	assert_int_equal(bytes_len(&out), sizeof(want) - 1);
	assert_memory_equal(bytes_at(&out), want, sizeof(want) - 1);
	/* All of it or nothing. */
	for (size_t most = sizeof(want) - 1; most < 2 * (sizeof(want) - 1);
		most++)
		assert_int_equal(resp_command(&out, parts, 2, most), -1);
	assert_int_equal(bytes_len(&out), sizeof(want) - 1);
	bytes_free(&out);
}

static void queues_keep_their_order(void **state)
{
	struct bytes queue = {.memory = NULL};
	uint8_t in = 0, out = 0, chunk[777];

	(void)state;
	for (int round = 0; round < 3000; round++) {
		size_t take;

		for (size_t i = 0; i < sizeof(chunk); i++)
			chunk[i] = in++;
		if (bytes_add(&queue, chunk, sizeof(chunk), 300000) != 0)
			in = (uint8_t)(in - sizeof(chunk));
		take = (size_t)(round * 7919) % (bytes_len(&queue) + 1);
		for (size_t i = 0; i < take; i++)
			assert_int_equal(bytes_at(&queue)[i], out++);
		bytes_take(&queue, take);
	}
	bytes_free(&queue);
	assert_int_equal(bytes_len(&queue), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_each_type),
		cmocka_unit_test(reads_lists_in_lists),
		cmocka_unit_test(any_beginning_wants_more),
		cmocka_unit_test(numbers_have_bounds),
		cmocka_unit_test(other_protocols_are_broken),
		cmocka_unit_test(values_have_a_bound),
		cmocka_unit_test(endless_answers_are_broken),
		cmocka_unit_test(noise_is_read_safely),
		cmocka_unit_test(commands_are_written),
		cmocka_unit_test(queues_keep_their_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
