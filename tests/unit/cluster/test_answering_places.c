/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the places of asks that are being answered. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cluster/answering_places.h"

static struct answering answering;

static int set_up(void **state)
{
	(void)state;
	memset(&answering, 0, sizeof(answering));
	return answering_init(&answering);
}

static int tear_down(void **state)
{
	(void)state;
	answering_finish(&answering);
	return 0;
}

static struct answering_ask *take(
	uint64_t from, uint64_t number, int64_t now_ms, bool *again)
{
	struct message in = {.type = MESSAGE_ASK, .from = from};

	in.ask.number = number;
	return answering_take(&answering, &in, now_ms, again);
}

static void an_ask_is_found_until_it_is_answered(void **state)
{
	bool again;
	struct answering_ask *ask = take(1, 7, 0, &again);

	(void)state;
	assert_non_null(ask);
	assert_false(again);
	assert_ptr_equal(answering_find(&answering, ask->serial), ask);
	assert_null(answering_find(&answering, ask->serial + ANSWERING_MOST));
	assert_null(answering_find(&answering, 0));
	ask->answered = true;
	assert_null(answering_find(&answering, ask->serial));
}

static void a_repeated_one_is_known_answered_or_not(void **state)
{
	bool again;
	struct answering_ask *ask = take(1, 7, 0, &again);

	(void)state;
	assert_ptr_equal(take(1, 7, ANSWERING_MS - 1, &again), ask);
	assert_true(again);
	ask->answered = true;
	assert_ptr_equal(take(1, 7, ANSWERING_MS - 1, &again), ask);
	assert_true(again);
	/* The same number of another node, and another number. */
	assert_ptr_not_equal(take(2, 7, 1, &again), ask);
	assert_false(again);
	assert_ptr_not_equal(take(1, 8, 1, &again), ask);
	assert_false(again);
	/* Long after, it is another one. */
	ask = take(1, 7, ANSWERING_MS, &again);
	assert_non_null(ask);
	assert_false(again);
}

/* All of them begin at one place. */
static uint64_t crowd(unsigned count, int64_t now_ms)
{
	uint64_t number = 0, place = UINT64_MAX;
	unsigned taken = 0;

	while (taken < count) {
		uint64_t begin = (9 ^ ++number) * 0x9e3779b97f4a7c15U >> 32;
		bool again;

		if (place == UINT64_MAX)
			place = begin % ANSWERING_MOST;
		if (begin % ANSWERING_MOST != place)
			continue;
		if (taken++ < ANSWERING_NEAR)
			assert_non_null(take(9, number, now_ms, &again));
	}
	return number;
}

static void who_finds_no_place_is_refused_until_one_is_answered(void **state)
{
	uint64_t number = crowd(ANSWERING_NEAR + 1, 0);
	struct answering_ask *answered = NULL;
	bool again;

	(void)state;
	assert_null(take(9, number, 1, &again));
	for (unsigned i = 0; i < ANSWERING_MOST && !answered; i++)
		if (answering.ask[i].serial)
			answered = &answering.ask[i];
	assert_non_null(answered);
	answered->answered = true;
	assert_ptr_equal(take(9, number, 1, &again), answered);
	assert_false(again);
	assert_false(answered->answered);
}

static void one_that_takes_too_long_gives_its_place(void **state)
{
	uint64_t number = crowd(ANSWERING_NEAR + 1, 0);
	bool again;

	(void)state;
	assert_null(take(9, number, ANSWERING_MS - 1, &again));
	assert_non_null(take(9, number, ANSWERING_MS, &again));
}

static void serials_are_never_used_twice(void **state)
{
	uint64_t last = 0;

	(void)state;
	for (uint64_t i = 1; i < 5000; i++) {
		bool again;
		struct answering_ask *ask =
			take(i, i, (int64_t)i * ANSWERING_MS, &again);

		assert_non_null(ask);
		assert_true(ask->serial / ANSWERING_MOST > last);
		last = ask->serial / ANSWERING_MOST;
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(an_ask_is_found_until_it_is_answered),
		TEST(a_repeated_one_is_known_answered_or_not),
		TEST(who_finds_no_place_is_refused_until_one_is_answered),
		TEST(one_that_takes_too_long_gives_its_place),
		TEST(serials_are_never_used_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
