/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the answers that admission keeps. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cache.h"

static const struct answer yes = {.allow = true, .rate = 7};
static const struct answer no = {.allow = false};

static void keep(struct cache *cache, uint8_t key, const struct answer *answer,
	int64_t until_ms, size_t most)
{
	const uint8_t id[ID_LEN] = {key};

	cache_put(cache, id, answer, until_ms, most);
}

static bool has(
	struct cache *cache, uint8_t key, int64_t now_ms, struct answer *out)
{
	const uint8_t id[ID_LEN] = {key};

	return cache_get(cache, id, now_ms, out);
}

static void an_answer_counts_until_its_time(void **state)
{
	struct cache cache = {NULL};
	struct answer answer;

	(void)state;
	keep(&cache, 1, &yes, 100, 9);
	assert_true(has(&cache, 1, 60, &answer));
	assert_true(answer.allow);
	assert_int_equal(answer.rate, 7);
	assert_int_equal(answer.keep_ms, 40);
	assert_false(has(&cache, 2, 60, &answer));
	assert_false(has(&cache, 1, 100, &answer));
	assert_int_equal(cache_count(&cache), 0);
}

static void the_newest_answer_counts(void **state)
{
	struct cache cache = {NULL};
	struct answer answer;

	(void)state;
	keep(&cache, 1, &yes, 100, 9);
	keep(&cache, 1, &no, 200, 9);
	assert_int_equal(cache_count(&cache), 1);
	assert_true(has(&cache, 1, 150, &answer));
	assert_false(answer.allow);
	cache_clear(&cache);
	assert_false(has(&cache, 1, 150, &answer));
}

static void the_oldest_gives_way(void **state)
{
	struct cache cache = {NULL};
	struct answer answer;

	(void)state;
	for (uint8_t key = 1; key <= 5; key++)
		keep(&cache, key, &yes, 100, 3);
	assert_int_equal(cache_count(&cache), 3);
	assert_false(has(&cache, 2, 0, &answer));
	assert_true(has(&cache, 3, 0, &answer));
	/* A reload has lowered the bound. */
	keep(&cache, 6, &yes, 100, 1);
	assert_int_equal(cache_count(&cache), 1);
	assert_true(has(&cache, 6, 0, &answer));
	keep(&cache, 7, &yes, 100, 0);
	assert_int_equal(cache_count(&cache), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_counts_until_its_time),
		cmocka_unit_test(the_newest_answer_counts),
		cmocka_unit_test(the_oldest_gives_way),
	};

	return id_hash_init() || cmocka_run_group_tests(tests, NULL, NULL);
}
