/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of parsing a pool's list, and of the order of its relays. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "candidates.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))
#define MS     1000

static void takes_the_relays_that_can_be_read(void **state)
{
	static const char json[] =
		"{\"x\":1,\"relays\":[{\"url\":\"relay://a:1/?id=\"},"
		"{\"url\":7},{\"url\":\"relay://\"},{},3,null,[],"
		"{\"url\":\"dynamic+http://p/\"},{\"url\":\"relay://:1\"},"
		"{\"url\":\"relay://a b\"},{\"URL\":\"relay://c:1\"},"
		"{\"url\":\"relay://b:2\",\"location\":{\"city\":\"x\"}}]}";
	struct candidates list;
	struct relay_err err = {""};

	(void)state;
	assert_int_equal(
		candidates_parse(json, sizeof(json) - 1, &list, &err), 0);
	assert_int_equal(list.count, 2);
	assert_string_equal(list.all[0].uri, "relay://a:1/?id=");
	assert_string_equal(list.all[1].uri, "relay://b:2");
	assert_true(list.all[0].latency_us == INT64_MAX);
	candidates_finish(&list);
}

static void refuses_what_is_no_list(void **state)
{
	static const char *const rows[] = {
		"",
		"x",
		"{",
		"{}",
		"[]",
		"null",
		"{\"relays\":null}",
		"{\"relays\":{}}",
		"{\"relays\":[]}",
		"{\"relays\":[{\"url\":\"http://x\"}]}",
		"{\"relays\":[{\"url\":\"relay://a:1\"}",
		"{\"Relays\":[{\"url\":\"relay://a:1\"}]}",
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct candidates list;
		struct relay_err err = {""};

		if (candidates_parse(rows[i], strlen(rows[i]), &list, &err) !=
			-1)
			fail_msg("\"%s\" was taken for a list", rows[i]);
		assert_true(err.text[0] != '\0');
		assert_null(list.all);
		assert_int_equal(list.count, 0);
	}
}

static void bounds_their_number(void **state)
{
	static char json[CANDIDATES_MAX * 40 + 1000];
	size_t at = 0;
	struct candidates list;

	(void)state;
	at += (size_t)snprintf(json, sizeof(json), "{\"relays\":[");
	for (int i = 0; i < CANDIDATES_MAX + 10; i++)
		at += (size_t)snprintf(json + at, sizeof(json) - at,
			"%s{\"url\":\"relay://h%d:1\"}", i ? "," : "", i);
	at += (size_t)snprintf(json + at, sizeof(json) - at, "]}");
	assert_int_equal(candidates_parse(json, at, &list, NULL), 0);
	assert_int_equal(list.count, CANDIDATES_MAX);
	candidates_finish(&list);
}

static void fill(void *buf, size_t len, void *arg)
{
	uint64_t *seed = arg;

	*seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407U;
	memcpy(buf, seed, len < sizeof(*seed) ? len : sizeof(*seed));
}

static void orders_by_steps_of_50_ms(void **state)
{
	static char names[] = "abcdef";
	struct candidate all[6];
	struct candidates list = {.all = all, .count = 6};
	static const int64_t latency[] = {
		INT64_MAX, 120 * MS, 0, 49999, 50 * MS, 99 * MS};
	uint64_t seed = 1;

	(void)state;
	for (unsigned round = 0; round < 64; round++) {
		for (size_t i = 0; i < 6; i++)
			all[i] = (struct candidate){names + i, latency[i]};
		candidates_order(&list, fill, &seed);
		assert_true(all[0].latency_us < 50 * MS);
		assert_true(all[1].latency_us < 50 * MS);
		assert_true(all[2].latency_us < 100 * MS);
		assert_true(all[3].latency_us < 100 * MS);
		assert_true(all[4].latency_us == 120 * MS);
		assert_true(all[5].latency_us == INT64_MAX);
	}
}

static void shuffles_within_a_step(void **state)
{
	static char names[] = "ab";
	unsigned first[2] = {0, 0};
	uint64_t seed = 1;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		struct candidate all[2] = {
			{names, 1 * MS}, {names + 1, 40 * MS}};
		struct candidates list = {.all = all, .count = 2};

		candidates_order(&list, fill, &seed);
		first[all[0].uri - names]++;
	}
	assert_in_range(first[0], 300, 700);
}

static void orders_nothing(void **state)
{
	struct candidates list = {.all = NULL, .count = 0};

	(void)state;
	candidates_order(&list, fill, NULL);
	candidates_finish(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_the_relays_that_can_be_read),
		cmocka_unit_test(refuses_what_is_no_list),
		cmocka_unit_test(bounds_their_number),
		cmocka_unit_test(orders_by_steps_of_50_ms),
		cmocka_unit_test(shuffles_within_a_step),
		cmocka_unit_test(orders_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
