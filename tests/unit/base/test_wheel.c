/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the timing wheel.  The last one compares it with a simple model. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/wheel.h"

#define START   INT64_C(1000000)
#define TURN_MS (WHEEL_SLOTS * WHEEL_SLOT_MS)
#define ENTRIES 200

static struct wheel wheel;
static struct wheel_entry entry[ENTRIES];
static unsigned called[ENTRIES];

static void note(struct wheel_entry *e, void *arg)
{
	(void)arg;
	assert_false(wheel_entry_linked(e));
	called[e - entry]++;
}

static void advance(int64_t now_ms)
{
	memset(called, 0, sizeof(called));
	wheel_advance(&wheel, now_ms, note, NULL);
}

static int setup(void **state)
{
	(void)state;
	memset(entry, 0, sizeof(entry));
	wheel_init(&wheel, START);
	return 0;
}

static void is_empty_at_first(void **state)
{
	(void)state;
	assert_int_equal(wheel.count, 0);
	assert_int_equal(wheel_next_ms(&wheel), -1);
	advance(START + 1000);
	assert_int_equal(wheel_next_ms(&wheel), -1);
}

static void calls_on_time_and_once(void **state)
{
	(void)state;
	wheel_add(&wheel, &entry[0], START + 1000);
	advance(START + 999);
	assert_int_equal(called[0], 0);
	advance(START + 1000);
	assert_int_equal(called[0], 1);
	assert_int_equal(wheel.count, 0);
	advance(START + 1000 + TURN_MS);
	assert_int_equal(called[0], 0);
}

/* The caller advances the wheel only at the times that wheel_next_ms() returns.
 */
static void is_at_most_a_slot_late(void **state)
{
	(void)state;
	for (int64_t ms = 0; ms < 3 * TURN_MS; ms += 77) {
		int64_t at = wheel.now_ms + ms, next;

		wheel_add(&wheel, &entry[0], at);
		while ((next = wheel_next_ms(&wheel)) != -1) {
			assert_true(next > wheel.now_ms);
			assert_true(next <= at + WHEEL_SLOT_MS);
			advance(next);
			assert_int_equal(called[0], next >= at);
		}
		assert_false(wheel_entry_linked(&entry[0]));
	}
}

static void tells_the_first_slot_end(void **state)
{
	int64_t tick = START / WHEEL_SLOT_MS;

	(void)state;
	for (int64_t i = WHEEL_SLOTS - 1; i >= 0; i--) {
		wheel_add(&wheel, &entry[i % ENTRIES],
			(tick + i) * WHEEL_SLOT_MS + WHEEL_SLOT_MS - 1);
		assert_int_equal(
			wheel_next_ms(&wheel), (tick + i + 1) * WHEEL_SLOT_MS);
	}
}

static void calls_what_is_past_next_time(void **state)
{
	(void)state;
	wheel_add(&wheel, &entry[0], START - 5000);
	wheel_add(&wheel, &entry[1], INT64_MIN);
	wheel_add(&wheel, &entry[2], START);
	assert_in_range(wheel_next_ms(&wheel), START, START + WHEEL_SLOT_MS);
	advance(START);
	assert_int_equal(called[0] + called[1] + called[2], 3);
	assert_int_equal(wheel_next_ms(&wheel), -1);
}

static void never_calls_the_last_of_times(void **state)
{
	(void)state;
	wheel_add(&wheel, &entry[0], INT64_MAX);
	advance(START + INT64_C(1000) * 365 * 86400 * 1000);
	assert_int_equal(called[0], 0);
	assert_true(wheel_entry_linked(&entry[0]));
}

static void survives_time_going_back(void **state)
{
	(void)state;
	wheel_add(&wheel, &entry[0], START + 10);
	advance(START - 100000);
	assert_int_equal(called[0], 0);
	assert_int_equal(wheel.now_ms, START);
	advance(START + 10);
	assert_int_equal(called[0], 1);
}

static void catches_up_after_days(void **state)
{
	int64_t days = INT64_C(10) * 86400 * 1000;

	(void)state;
	for (int i = 0; i < ENTRIES; i++)
		wheel_add(&wheel, &entry[i], START + i * days / 100);
	advance(START + days);
	for (int i = 0; i < ENTRIES; i++)
		assert_int_equal(called[i], i <= 100);
	assert_int_equal(wheel.count, 99);
}

static void moves_an_entry_that_is_added_again(void **state)
{
	(void)state;
	wheel_add(&wheel, &entry[0], START + 100);
	wheel_add(&wheel, &entry[0], START + 5000);
	assert_int_equal(wheel.count, 1);
	advance(START + 4999);
	assert_int_equal(called[0], 0);
	advance(START + 5000);
	assert_int_equal(called[0], 1);
}

static void forgets_a_deleted_entry(void **state)
{
	(void)state;
	wheel_del(&wheel, &entry[0]);
	wheel_add(&wheel, &entry[0], START + 100);
	wheel_add(&wheel, &entry[1], START + 100);
	wheel_del(&wheel, &entry[0]);
	wheel_del(&wheel, &entry[0]);
	assert_int_equal(wheel.count, 1);
	wheel_del(&wheel, &entry[1]);
	assert_int_equal(wheel_next_ms(&wheel), -1);
	advance(START + 100);
	assert_int_equal(called[0] + called[1], 0);
}

static void del_all(struct wheel_entry *e, void *arg)
{
	note(e, arg);
	for (int i = 0; i < ENTRIES; i++)
		wheel_del(&wheel, &entry[i]);
}

static void does_not_call_what_a_callback_deleted(void **state)
{
	unsigned calls = 0;

	(void)state;
	for (int i = 0; i < ENTRIES; i++)
		wheel_add(&wheel, &entry[i], START + i % 3 * WHEEL_SLOT_MS);
	memset(called, 0, sizeof(called));
	wheel_advance(&wheel, START + 1000, del_all, NULL);
	for (int i = 0; i < ENTRIES; i++)
		calls += called[i];
	assert_int_equal(calls, 1);
	assert_int_equal(wheel.count, 0);
	assert_int_equal(wheel_next_ms(&wheel), -1);
}

static void add_again(struct wheel_entry *e, void *arg)
{
	note(e, arg);
	wheel_add(&wheel, e, wheel.now_ms - 1);
}

static void calls_what_a_callback_adds_the_next_time(void **state)
{
	(void)state;
	wheel_add(&wheel, &entry[0], START);
	wheel_add(&wheel, &entry[1], START + 300);
	for (int i = 1; i <= 3; i++) {
		memset(called, 0, sizeof(called));
		wheel_advance(&wheel, START + 300, add_again, NULL);
		assert_int_equal(called[0], 1);
		assert_int_equal(called[1], 1);
	}
	assert_int_equal(wheel.count, 2);
}

static void free_it(struct wheel_entry *e, void *arg)
{
	(*(unsigned *)arg)++;
	free(e);
}

static void lets_a_callback_free_its_entry(void **state)
{
	unsigned freed = 0;

	(void)state;
	for (int i = 0; i < 50; i++) {
		struct wheel_entry *e = calloc(1, sizeof(*e));

		assert_non_null(e);
		wheel_add(&wheel, e, START + i);
	}
	wheel_advance(&wheel, START + 50, free_it, &freed);
	assert_int_equal(freed, 50);
	assert_int_equal(wheel.count, 0);
}

static uint32_t rng;

static uint32_t rnd(uint32_t below)
{
	rng ^= rng << 13;
	rng ^= rng >> 17;
	rng ^= rng << 5;
	return rng % below;
}

/* The expected deadline of each entry, computed without the wheel; -1: not in
 * it. */
static int64_t model[ENTRIES];
static bool fresh[ENTRIES]; /* added by a callback of this advance */

static void change_one(bool in_callback)
{
	static const uint32_t spans[] = {1, 200, 2000, TURN_MS, 5 * TURN_MS};
	uint32_t i = rnd(ENTRIES);

	if (rnd(3) == 0) {
		wheel_del(&wheel, &entry[i]);
		model[i] = -1;
		fresh[i] = false;
		return;
	}
	model[i] = wheel.now_ms - 100 + rnd(spans[rnd(5)]);
	wheel_add(&wheel, &entry[i], model[i]);
	fresh[i] = in_callback;
}

static void check_and_change(struct wheel_entry *e, void *arg)
{
	size_t i = (size_t)(e - entry);

	(void)arg;
	assert_false(wheel_entry_linked(e));
	assert_false(fresh[i]);
	assert_in_range(model[i], 0, wheel.now_ms);
	model[i] = -1;
	for (uint32_t n = rnd(3); n > 0; n--)
		change_one(true);
}

static void check_against_model(bool advanced)
{
	int64_t first = INT64_MAX, next = wheel_next_ms(&wheel);
	unsigned count = 0;

	for (size_t i = 0; i < ENTRIES; i++) {
		assert_int_equal(wheel_entry_linked(&entry[i]), model[i] >= 0);
		if (model[i] < 0)
			continue;
		count++;
		assert_int_equal(entry[i].at_ms, model[i]);
		if (advanced && !fresh[i])
			assert_true(model[i] > wheel.now_ms);
		if (model[i] < first)
			first = model[i];
	}
	assert_int_equal(wheel.count, count);
	if (!count) {
		assert_int_equal(next, -1);
		return;
	}
	if (first < wheel.now_ms)
		first = wheel.now_ms;
	assert_true(next > wheel.now_ms && next <= first + WHEEL_SLOT_MS);
	assert_int_equal(next % WHEEL_SLOT_MS, 0);
}

static void agrees_with_a_model(void **state)
{
	(void)state;
	rng = 20240229;
	memset(model, -1, sizeof(model));
	for (int round = 0; round < 20000; round++) {
		int64_t to = wheel.now_ms + rnd(rnd(50) ? 500 : 3 * TURN_MS);

		for (uint32_t n = rnd(6); n > 0; n--)
			change_one(false);
		check_against_model(false);
		if (wheel.count && rnd(2))
			to = wheel_next_ms(&wheel);
		memset(fresh, 0, sizeof(fresh));
		wheel_advance(&wheel, to, check_and_change, NULL);
		check_against_model(true);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(is_empty_at_first, setup),
		cmocka_unit_test_setup(calls_on_time_and_once, setup),
		cmocka_unit_test_setup(is_at_most_a_slot_late, setup),
		cmocka_unit_test_setup(tells_the_first_slot_end, setup),
		cmocka_unit_test_setup(calls_what_is_past_next_time, setup),
		cmocka_unit_test_setup(never_calls_the_last_of_times, setup),
		cmocka_unit_test_setup(survives_time_going_back, setup),
		cmocka_unit_test_setup(catches_up_after_days, setup),
		cmocka_unit_test_setup(
			moves_an_entry_that_is_added_again, setup),
		cmocka_unit_test_setup(forgets_a_deleted_entry, setup),
		cmocka_unit_test_setup(
			does_not_call_what_a_callback_deleted, setup),
		cmocka_unit_test_setup(
			calls_what_a_callback_adds_the_next_time, setup),
		cmocka_unit_test_setup(lets_a_callback_free_its_entry, setup),
		cmocka_unit_test_setup(agrees_with_a_model, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
