/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the memory of successful pairs and of useless sources. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "relay/requests/reputation.h"

static const uint8_t alice[ID_LEN] = {'a'}, bob[ID_LEN] = {'b'};
static const uint8_t carol[ID_LEN] = {'c'}, home[ID_LEN] = {'h'};

static int set_up(void **state)
{
	static struct reputation reputation;

	memset(&reputation, 0, sizeof(reputation));
	*state = &reputation;
	return id_hash_init();
}

static int tear_down(void **state)
{
	reputation_finish(*state);
	return 0;
}

static void friends_are_friends_both_ways(void **state)
{
	reputation_praise(*state, alice, bob, 0);
	assert_int_equal(reputation_rank(*state, alice, bob, home, 1),
		REPUTATION_FRIEND);
	assert_int_equal(reputation_rank(*state, bob, alice, home, 1),
		REPUTATION_FRIEND);
	assert_int_equal(reputation_rank(*state, carol, bob, home, 1),
		REPUTATION_UNKNOWN);
	assert_int_equal(reputation_rank(*state, alice, bob, home,
				 REPUTATION_FRIEND_FOR_MS),
		REPUTATION_UNKNOWN);
}

static void a_source_is_idle_for_some_time(void **state)
{
	reputation_blame(*state, home, REPUTATION_WASTE_MS, 0);
	reputation_blame(*state, home, REPUTATION_WASTE_MS, 1000);
	assert_int_equal(reputation_rank(*state, alice, bob, home,
				 999 + REPUTATION_IDLE_FOR_MS),
		REPUTATION_IDLE);
	assert_int_equal(reputation_rank(*state, alice, bob, home,
				 1000 + REPUTATION_IDLE_FOR_MS),
		REPUTATION_UNKNOWN);
	assert_int_equal(reputation_rank(*state, alice, bob, carol, 1),
		REPUTATION_UNKNOWN);
	/* A successful pair outranks an idle source. */
	reputation_praise(*state, alice, bob, 0);
	assert_int_equal(reputation_rank(*state, alice, bob, home, 1),
		REPUTATION_FRIEND);
}

static void short_times_add_up_within_an_hour(void **state)
{
	const int64_t hour = REPUTATION_IDLE_FOR_MS;

	reputation_blame(*state, home, REPUTATION_WASTE_MS - 1, 0);
	assert_int_equal(reputation_rank(*state, alice, bob, home, 1),
		REPUTATION_UNKNOWN);
	reputation_blame(*state, home, 1, hour);
	assert_int_equal(reputation_rank(*state, alice, bob, home, hour),
		REPUTATION_UNKNOWN);
	reputation_blame(*state, home, REPUTATION_WASTE_MS - 1, 2 * hour - 1);
	assert_int_equal(
		reputation_rank(*state, alice, bob, home, 3 * hour - 2),
		REPUTATION_IDLE);
	assert_int_equal(
		reputation_rank(*state, alice, bob, home, 3 * hour - 1),
		REPUTATION_UNKNOWN);
}

static void the_oldest_are_forgotten_where_there_are_too_many(void **state)
{
	struct reputation *reputation = *state;
	uint8_t source[ID_LEN] = {0};

	reputation_blame(reputation, home, REPUTATION_WASTE_MS, 0);
	for (uint32_t i = 0; i < REPUTATION_MOST - 1; i++) {
		memcpy(source + 8, &i, sizeof(i));
		reputation_blame(reputation, source, REPUTATION_WASTE_MS, 1);
	}
	assert_int_equal(reputation_rank(reputation, alice, bob, home, 2),
		REPUTATION_IDLE);
	reputation_blame(reputation, carol, REPUTATION_WASTE_MS, 2);
	assert_int_equal(reputation_rank(reputation, alice, bob, home, 2),
		REPUTATION_UNKNOWN);
	assert_int_equal(reputation_rank(reputation, alice, bob, source, 2),
		REPUTATION_IDLE);
	assert_int_equal(reputation->idle.count, REPUTATION_MOST);
	/* Outdated entries are removed with the next one added. */
	reputation_blame(reputation, home, REPUTATION_WASTE_MS,
		3 + REPUTATION_IDLE_FOR_MS);
	assert_int_equal(reputation->idle.count, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(friends_are_friends_both_ways),
		TEST(a_source_is_idle_for_some_time),
		TEST(short_times_add_up_within_an_hour),
		TEST(the_oldest_are_forgotten_where_there_are_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
