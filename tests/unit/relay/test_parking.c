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

static void collect(struct place asker, void *arg)
{
	*(uint64_t *)arg += asker.conn;
}

static void bounds_are_kept(void **state)
{
	static struct parked *all[PARKING_MOST];
	struct source source = {.levels = 1, .key = {{7}}};
	struct parking parking;
	uint64_t sum = 0;

	(void)state;
	start(&parking);
	for (unsigned i = 0; i < PARKING_PER_SOURCE; i++) {
		all[i] = parking_add(&parking, id_of(i % 2), &source,
			(struct place){0, i + 1});
		assert_non_null(all[i]);
	}
	assert_null(
		parking_add(&parking, id_of(2), &source, (struct place){0, 1}));
	parking_each(&parking, id_of(0), collect, &sum);
	assert_int_equal(sum, 32 * 32); /* 1 + 3 + ... + 63 */
	for (unsigned i = PARKING_PER_SOURCE; i < PARKING_MOST; i++) {
		all[i] = parking_add(&parking,
			id_of(100 + i / PARKING_PER_DEVICE), &exempt,
			(struct place){0, 1});
		assert_non_null(all[i]);
	}
	assert_null(parking_add(
		&parking, id_of(9999), &exempt, (struct place){0, 1}));
	parking_remove(&parking, all[PARKING_MOST - 1]);
	/* The device before has enough, another one has not. */
	assert_null(parking_add(
		&parking, id_of(101), &exempt, (struct place){0, 1}));
	all[PARKING_MOST - 1] = parking_add(
		&parking, id_of(9999), &exempt, (struct place){0, 1});
	assert_memory_equal(
		parked_id(all[PARKING_MOST - 1]), id_of(9999), ID_LEN);
	for (unsigned i = 0; i < PARKING_MOST; i++)
		parking_remove(&parking, all[i]);
	assert_int_equal(parking_count(&parking), 0);
	assert_null(parking.targets);
	parking_finish(&parking);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(devices_are_expected_for_a_time),
		cmocka_unit_test(the_oldest_gives_way),
		cmocka_unit_test(bounds_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
