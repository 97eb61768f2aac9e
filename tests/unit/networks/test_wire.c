/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of a simulated link, tests/bench/networks/wire.c. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire.h"

#define MS   INT64_C(1000000)
#define MANY 100000

static const uint8_t bytes[1500] = {1, 2, 3};

/* The number of the packet is its length. */
static size_t take(struct wire *wire, int64_t now_ns, int64_t *due_ns)
{
	size_t len = 0;

	free(wire_take(wire, now_ns, &len, due_ns));
	return len;
}

static void test_a_packet_arrives_after_sending_time_and_delay(void **state)
{
	/* 12 Mbit/s: a packet of 1,500 bytes takes 1 ms. */
	const struct wire_settings settings = {.delay_ns = 10 * MS,
		.bits_per_s = 12000000,
		.queue_bytes = 15000};
	struct wire wire;
	int64_t due_ns = 0;
	size_t len = 0;
	uint8_t *data;

	(void)state;
	wire_init(&wire, &settings);
	assert_true(wire_next_ns(&wire) == INT64_MAX);
	wire_offer(&wire, bytes, 1500, 5 * MS);
	assert_true(wire_next_ns(&wire) == 16 * MS);
	assert_null(wire_take(&wire, 16 * MS - 1, &len, &due_ns));
	data = wire_take(&wire, 17 * MS, &len, &due_ns);
	assert_non_null(data);
	assert_int_equal(len, 1500);
	assert_memory_equal(data, bytes, 1500);
	assert_true(due_ns == 16 * MS);
	free(data);
	assert_int_equal(wire.counts.arrived, 1);
	assert_int_equal(wire.counts.arrived_bytes, 1500);
	wire_finish(&wire);
}

static void test_packets_are_sent_one_after_the_other(void **state)
{
	const struct wire_settings settings = {.delay_ns = 10 * MS,
		.bits_per_s = 12000000,
		.queue_bytes = 15000};
	struct wire wire;
	int64_t due_ns = 0;

	(void)state;
	wire_init(&wire, &settings);
	for (size_t i = 1; i <= 3; i++)
		wire_offer(&wire, bytes, 1500, 0);
	/* The link has been free since 3 ms. */
	wire_offer(&wire, bytes, 750, 20 * MS);
	for (int i = 1; i <= 3; i++) {
		assert_int_equal(take(&wire, 100 * MS, &due_ns), 1500);
		assert_true(due_ns == (10 + i) * MS);
	}
	assert_int_equal(take(&wire, 100 * MS, &due_ns), 750);
	assert_true(due_ns == 30 * MS + MS / 2);
	wire_finish(&wire);
}

static void test_what_does_not_fit_into_the_queue_is_dropped(void **state)
{
	const struct wire_settings settings = {
		.bits_per_s = 12000000, .queue_bytes = 3000};
	struct wire wire;

	(void)state;
	wire_init(&wire, &settings);
	for (int i = 0; i < 5; i++)
		wire_offer(&wire, bytes, 1500, 0);
	assert_int_equal(wire.counts.offered, 5);
	assert_int_equal(wire.counts.queue_full, 3);
	/* After a millisecond there is room for one. */
	wire_offer(&wire, bytes, 1500, MS);
	wire_offer(&wire, bytes, 1500, MS);
	assert_int_equal(wire.counts.queue_full, 4);
	assert_int_equal(wire.count, 3);
	wire_finish(&wire);
}

static void test_without_a_rate_nothing_waits(void **state)
{
	const struct wire_settings settings = {.delay_ns = MS};
	struct wire wire;
	int64_t due_ns = 0;

	(void)state;
	wire_init(&wire, &settings);
	for (size_t i = 1; i <= 100; i++)
		wire_offer(&wire, bytes, i, 7);
	for (size_t i = 1; i <= 100; i++) {
		assert_int_equal(take(&wire, MS + 7, &due_ns), i);
		assert_true(due_ns == MS + 7);
	}
	assert_int_equal(wire.counts.queue_full, 0);
	wire_finish(&wire);
}

static uint64_t lost_of_many(uint64_t seed, uint64_t *pattern)
{
	const struct wire_settings settings = {
		.loss_ppm = 10000, .seed = seed, .delay_ns = MS};
	struct wire wire;
	int64_t due_ns;
	uint64_t lost;

	wire_init(&wire, &settings);
	*pattern = 0;
	for (int64_t i = 0; i < MANY; i++) {
		lost = wire.counts.lost;
		wire_offer(&wire, bytes, 1, i);
		if (wire.counts.lost > lost)
			*pattern = *pattern * 31 + (uint64_t)i;
		while (take(&wire, i, &due_ns))
			;
	}
	lost = wire.counts.lost;
	wire_finish(&wire);
	return lost;
}

static void test_the_share_is_lost_and_the_seed_decides_which(void **state)
{
	uint64_t one, same, other;

	(void)state;
	/* 1 % of 100,000, three standard deviations (31) to both sides. */
	assert_in_range(lost_of_many(1, &one), 906, 1094);
	assert_in_range(lost_of_many(2, &other), 906, 1094);
	lost_of_many(1, &same);
	assert_true(one == same);
	assert_true(one != other);
}

static void test_a_lost_packet_takes_its_time_on_the_link(void **state)
{
	const struct wire_settings settings = {.bits_per_s = 12000000,
		.queue_bytes = 15000,
		.loss_ppm = 1000000};
	struct wire wire;

	(void)state;
	wire_init(&wire, &settings);
	wire_offer(&wire, bytes, 1500, 0);
	wire_offer(&wire, bytes, 1500, 0);
	assert_int_equal(wire.counts.lost, 2);
	assert_true(wire.free_ns == 2 * MS);
	wire_finish(&wire);
}

static void test_later_packets_overtake_a_reordered_one(void **state)
{
	const struct wire_settings always = {
		.delay_ns = MS, .reorder_ppm = 1000000, .reorder_ns = 5 * MS};
	struct wire wire;
	int64_t due_ns = 0;

	(void)state;
	wire_init(&wire, &always);
	wire_offer(&wire, bytes, 1, 0);
	wire.settings.reorder_ppm = 0;
	wire_offer(&wire, bytes, 2, 1);
	wire_offer(&wire, bytes, 3, 2);
	wire_offer(&wire, bytes, 4, 7 * MS);
	assert_int_equal(take(&wire, 100 * MS, &due_ns), 2);
	assert_int_equal(take(&wire, 100 * MS, &due_ns), 3);
	assert_int_equal(take(&wire, 100 * MS, &due_ns), 1);
	assert_true(due_ns == 6 * MS);
	assert_int_equal(take(&wire, 100 * MS, &due_ns), 4);
	assert_int_equal(wire.counts.reordered, 1);
	wire_finish(&wire);
}

static void test_they_leave_in_the_order_of_their_times(void **state)
{
	const struct wire_settings settings = {.delay_ns = MS,
		.reorder_ppm = 300000,
		.reorder_ns = 1000,
		.seed = 7};
	struct wire wire;
	int64_t before_ns = 0, due_ns = 0;
	size_t count = 0;

	(void)state;
	wire_init(&wire, &settings);
	for (int64_t i = 0; i < 5000; i++)
		wire_offer(&wire, bytes, 1, i * 10);
	while (take(&wire, 10 * MS, &due_ns)) {
		assert_true(due_ns >= before_ns);
		before_ns = due_ns;
		count++;
	}
	assert_int_equal(count, 5000);
	assert_in_range(wire.counts.reordered, 1402, 1598);
	wire_finish(&wire);
}

static void test_there_is_a_bound_on_what_is_under_way(void **state)
{
	const struct wire_settings settings = {.delay_ns = MS};
	struct wire wire;

	(void)state;
	wire_init(&wire, &settings);
	for (size_t i = 0; i < WIRE_MOST + 2; i++)
		wire_offer(&wire, bytes, 1, 0);
	assert_int_equal(wire.count, WIRE_MOST);
	assert_int_equal(wire.counts.no_room, 2);
	wire_finish(&wire);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_a_packet_arrives_after_sending_time_and_delay),
		cmocka_unit_test(test_packets_are_sent_one_after_the_other),
		cmocka_unit_test(
			test_what_does_not_fit_into_the_queue_is_dropped),
		cmocka_unit_test(test_without_a_rate_nothing_waits),
		cmocka_unit_test(
			test_the_share_is_lost_and_the_seed_decides_which),
		cmocka_unit_test(test_a_lost_packet_takes_its_time_on_the_link),
		cmocka_unit_test(test_later_packets_overtake_a_reordered_one),
		cmocka_unit_test(test_they_leave_in_the_order_of_their_times),
		cmocka_unit_test(test_there_is_a_bound_on_what_is_under_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
