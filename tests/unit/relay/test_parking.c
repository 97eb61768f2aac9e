/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of devices that are expected back, and of requests that wait for them,
 * with the time passed in. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "relay/requests/parking.h"

static const struct source exempt = {.levels = 0};

static const uint8_t *id_of(unsigned number)
{
	static uint8_t id[ID_LEN];

	memset(id, 0, sizeof(id));
	memcpy(id, &number, sizeof(number));
	return id;
}

static void start(struct parking *parking)
{
	memset(parking, 0, sizeof(*parking));
	assert_int_equal(id_hash_init(), 0);
	assert_int_equal(parking_init(parking), 0);
}

static void devices_are_expected_for_a_time(void **state)
{
	struct parking parking;

	(void)state;
	start(&parking);
	assert_false(parking_expects(&parking, id_of(1), 0));
	parking_expect(&parking, id_of(1), 1000);
	parking_expect(&parking, id_of(2), 2000);
	assert_true(parking_expects(
		&parking, id_of(1), 1000 + PARKING_EXPECTED_MS - 1));
	assert_false(parking_expects(
		&parking, id_of(1), 1000 + PARKING_EXPECTED_MS));
	parking_expect(&parking, id_of(1), 3000);
	assert_true(parking_expects(
		&parking, id_of(1), 3000 + PARKING_EXPECTED_MS - 1));
	/* The next one drives the old ones out. */
	parking_expect(&parking, id_of(3), 3000 + PARKING_EXPECTED_MS);
	assert_int_equal(parking.expected_count, 1);
	parking_finish(&parking);
}

static void the_oldest_gives_way(void **state)
{
	struct parking parking;

	(void)state;
	start(&parking);
	for (unsigned i = 0; i <= PARKING_DEVICES; i++)
		parking_expect(&parking, id_of(i), 1000);
	assert_int_equal(parking.expected_count, PARKING_DEVICES);
	assert_false(parking_expects(&parking, id_of(0), 1000));
	assert_true(parking_expects(&parking, id_of(1), 1000));
	parking_finish(&parking);
}

static struct parked *park(struct parking *parking, unsigned device,
	const struct source *source, uint64_t asker, uint64_t *lost)
{
	struct place loser;
	struct parked *parked = parking_add(parking, id_of(device), source,
		(struct place){0, asker}, &loser);

	*lost = loser.conn;
	return parked;
}

static void collect(struct place asker, void *arg)
{
	*(uint64_t *)arg += asker.conn;
}

static void bounds_are_kept(void **state)
{
	static struct parked *all[PARKING_MOST];
	struct source source = {.levels = 1, .key = {{7}}};
	struct parking parking;
	uint64_t sum = 0, lost;

	(void)state;
	start(&parking);
	for (unsigned i = 0; i < PARKING_PER_SOURCE; i++) {
		all[i] = park(&parking, i % 4, &source, i + 1, &lost);
		assert_non_null(all[i]);
	}
	assert_null(park(&parking, 4, &source, 1, &lost));
	parking_each(&parking, id_of(0), collect, &sum);
	assert_int_equal(sum, 16 * 31); /* 1 + 5 + ... + 61 */
	for (unsigned i = PARKING_PER_SOURCE; i < PARKING_MOST; i++) {
		all[i] = park(&parking, 100 + i / PARKING_PER_DEVICE, &exempt,
			1, &lost);
		assert_non_null(all[i]);
	}
	assert_null(park(&parking, 9999, &exempt, 1, &lost));
	parking_remove(&parking, all[PARKING_MOST - 1]);
	/* The device before has enough, another one has not. */
	assert_null(park(&parking, 101, &exempt, 1, &lost));
	all[PARKING_MOST - 1] = park(&parking, 9999, &exempt, 1, &lost);
	assert_memory_equal(
		parked_id(all[PARKING_MOST - 1]), id_of(9999), ID_LEN);
	for (unsigned i = 0; i < PARKING_MOST; i++)
		parking_remove(&parking, all[i]);
	assert_int_equal(parking_count(&parking), 0);
	assert_null(parking.targets);
	parking_finish(&parking);
}

/* Each of some sources takes as many of a device's places as it gets. */
static unsigned crowd(struct parking *parking, struct parked **all,
	unsigned sources, unsigned each)
{
	unsigned count = 0;
	uint64_t lost;

	for (unsigned i = 0; i < sources; i++) {
		const struct source source = {
			.levels = 1, .key = {{1, (uint8_t)i}}};

		for (unsigned j = 0; j < each; j++) {
			struct parked *parked =
				park(parking, 0, &source, count + 1, &lost);

			if (parked)
				all[count++] = parked;
			assert_int_equal(lost, 0);
		}
	}
	return count;
}

static void one_source_leaves_places_to_others(void **state)
{
	struct parked *all[PARKING_PER_DEVICE];
	struct parking parking;
	unsigned count;

	(void)state;
	start(&parking);
	count = crowd(&parking, all, 1, PARKING_PER_SOURCE);
	assert_int_equal(count, PARKING_PER_DEVICE / 4);
	while (count)
		parking_remove(&parking, all[--count]);
	assert_null(parking.targets);
	parking_finish(&parking);
}

static void who_has_most_gives_up_its_oldest(void **state)
{
	const struct source honest = {.levels = 1, .key = {{2}}};
	struct parked *all[PARKING_PER_DEVICE], *more[64];
	struct parking parking;
	unsigned count, got = 0;
	uint64_t lost, sum = 0;

	(void)state;
	start(&parking);
	count = crowd(&parking, all, 4, 64);
	assert_int_equal(count, PARKING_PER_DEVICE);
	/* Four sources give in turn, while they would not have fewer. */
	while (got < 64 &&
		(more[got] = park(&parking, 0, &honest, 1000, &lost))) {
		assert_int_equal(lost, got % 4 * 16 + got / 4 + 1);
		got++;
	}
	assert_int_equal(got, 12);
	assert_int_equal(lost, 0);
	assert_int_equal(parking_count(&parking), PARKING_PER_DEVICE);
	/* Who has lost its place is not told of the device any more. */
	parking_each(&parking, id_of(0), collect, &sum);
	assert_int_equal(sum, 64 * 65 / 2 - 4 * 6 - 3 * 96 + 12 * 1000);
	assert_memory_equal(parked_id(all[0]), id_of(0), ID_LEN);
	/* An exempt one gets a place, and keeps it. */
	more[got] = park(&parking, 0, &exempt, 1000, &lost);
	assert_non_null(more[got++]);
	assert_int_not_equal(lost, 0);
	while (got)
		parking_remove(&parking, more[--got]);
	while (count)
		parking_remove(&parking, all[--count]);
	assert_int_equal(parking_count(&parking), 0);
	assert_null(parking.targets);
	assert_null(parking.sources.by_key);
	parking_finish(&parking);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(devices_are_expected_for_a_time),
		cmocka_unit_test(the_oldest_gives_way),
		cmocka_unit_test(bounds_are_kept),
		cmocka_unit_test(one_source_leaves_places_to_others),
		cmocka_unit_test(who_has_most_gives_up_its_oldest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
