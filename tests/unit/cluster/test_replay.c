/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the window of counters. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cluster/messages/replay.h"

static void each_counter_is_new_once(void **state)
{
	struct replay replay = {0};

	(void)state;
	for (uint64_t c = 1; c < 2000; c++) {
		assert_true(replay_is_new(&replay, c));
		assert_false(replay_is_new(&replay, c));
	}
}

static void zero_never_is(void **state)
{
	struct replay replay = {0};

	(void)state;
	assert_false(replay_is_new(&replay, 0));
	assert_true(replay_is_new(&replay, 1));
	assert_false(replay_is_new(&replay, 0));
}

static void the_window_has_its_width(void **state)
{
	(void)state;
	for (uint64_t top = REPLAY_WINDOW - 2; top < 3 * REPLAY_WINDOW; top++) {
		struct replay replay = {0};
		uint64_t oldest =
			top < REPLAY_WINDOW ? 1 : top - REPLAY_WINDOW + 1;

		assert_true(replay_is_new(&replay, top));
		assert_false(replay_is_new(&replay, oldest - 1));
		assert_true(replay_is_new(&replay, oldest));
		assert_false(replay_is_new(&replay, oldest));
		/* It moves on by one. */
		assert_true(replay_is_new(&replay, top + 1));
		assert_false(replay_is_new(&replay, oldest));
		assert_false(replay_is_new(&replay, top));
	}
}

static void a_step_of_any_length_forgets_nothing_that_counts(void **state)
{
	(void)state;
	for (uint64_t step = 1; step < 2 * REPLAY_WINDOW + 2; step++) {
		struct replay replay = {0};

		for (uint64_t c = 1; c <= 1000; c++)
			assert_true(replay_is_new(&replay, c));
		assert_true(replay_is_new(&replay, 1000 + step));
		assert_int_equal(replay.highest, 1000 + step);
		for (uint64_t c = 1; c <= 1000; c++)
			assert_false(replay_is_new(&replay, c));
		for (uint64_t c = 1001; c < 1000 + step; c++) {
			bool inside = 1000 + step - c < REPLAY_WINDOW;

			assert_int_equal(replay_is_new(&replay, c), inside);
		}
	}
}

static void the_last_counters_are_no_exception(void **state)
{
	struct replay replay = {0};

	(void)state;
	assert_true(replay_is_new(&replay, UINT64_MAX - 1));
	assert_true(replay_is_new(&replay, UINT64_MAX));
	assert_false(replay_is_new(&replay, UINT64_MAX));
	assert_true(replay_is_new(&replay, UINT64_MAX - 255));
	assert_false(replay_is_new(&replay, UINT64_MAX - 256));
	assert_false(replay_is_new(&replay, 1));
}

/* Against a list of all counters that were seen. */
static void it_agrees_with_a_list(void **state)
{
	struct replay replay = {0};
	static bool seen[70000];
	uint64_t chance = 1, top = 0;

	(void)state;
	for (int i = 0; i < 60000; i++) {
		uint64_t c;
		bool want;

		chance = chance * 6364136223846793005U + 1442695040888963407U;
		c = top + (chance >> 33) % 310;
		c = c > 300 ? c - 300 : 1;
		want = c > top || (top - c < REPLAY_WINDOW && !seen[c]);
		assert_int_equal(replay_is_new(&replay, c), want);
		seen[c] = true;
		top = c > top ? c : top;
	}
	assert_true(top > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_counter_is_new_once),
		cmocka_unit_test(zero_never_is),
		cmocka_unit_test(the_window_has_its_width),
		cmocka_unit_test(
			a_step_of_any_length_forgets_nothing_that_counts),
		cmocka_unit_test(the_last_counters_are_no_exception),
		cmocka_unit_test(it_agrees_with_a_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
