/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of which device a session counts towards, and of what is freed. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "devices.h"

static struct share_pool global;
static struct device_table table;

static int set_up(void **state)
{
	(void)state;
	share_pool_init(&global, 1000000, 100, 1);
	return devices_init(&table, &global);
}

static int tear_down(void **state)
{
	bool empty = !table.devices && !table.origins;

	(void)state;
	devices_finish(&table);
	return empty ? 0 : -1;
}

/* A session of that device from that source; 0: exempt. */
static struct device_part *begin(uint8_t device, uint8_t source, int64_t weight)
{
	const struct device_terms terms = {.weight = weight};
	uint8_t id[ID_LEN] = {device}, from[ID_LEN] = {source};
	struct device_part *part =
		devices_get(&table, id, source ? from : NULL, &terms, 1);

	assert_non_null(part);
	return part;
}

/* Both orders must give the same. */
static void check_sharer(struct device_part *wanted, struct device_part *other)
{
	assert_ptr_equal(devices_sharer(&table, wanted, other), wanted);
	assert_ptr_equal(devices_sharer(&table, other, wanted), wanted);
}

static void test_the_higher_weight_goes_first(void **state)
{
	struct device_part *heavy = begin(1, 1, 3),
			   *many[] = {begin(2, 2, 1), begin(2, 2, 1),
				   begin(2, 2, 1)};

	(void)state;
	check_sharer(heavy, many[0]);
	devices_put(&table, heavy);
	for (int i = 0; i < 3; i++)
		devices_put(&table, many[i]);
}

static void test_then_the_source_with_more_sessions(void **state)
{
	/* The device has one session, its source has three. */
	struct device_part *one = begin(1, 1, 1),
			   *beside[] = {begin(3, 1, 1), begin(4, 1, 1)};
	struct device_part *two[] = {begin(2, 2, 1), begin(2, 2, 1)};

	(void)state;
	check_sharer(one, two[0]);
	for (int i = 0; i < 2; i++) {
		devices_put(&table, beside[i]);
		devices_put(&table, two[i]);
	}
	devices_put(&table, one);
}

/* An exempt device has no source: its own sessions count. */
static void test_then_the_device_with_more_sessions(void **state)
{
	struct device_part *parts[] = {begin(1, 1, 1), begin(1, 2, 1),
		begin(2, 3, 1), begin(5, 0, 1), begin(5, 0, 1)};

	(void)state;
	check_sharer(parts[0], parts[2]);
	check_sharer(parts[3], parts[0]);
	for (int i = 0; i < 5; i++)
		devices_put(&table, parts[i]);
}

static void test_who_has_no_limit_does_not_count(void **state)
{
	struct device_part *one = begin(1, 1, 1);

	(void)state;
	check_sharer(one, NULL);
	assert_null(devices_sharer(&table, NULL, NULL));
	devices_put(&table, one);
	devices_put(&table, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_higher_weight_goes_first),
		TEST(test_then_the_source_with_more_sessions),
		TEST(test_then_the_device_with_more_sessions),
		TEST(test_who_has_no_limit_does_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
