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
	static struct standing standing;

	memset(&standing, 0, sizeof(standing));
	*state = &standing;
	return id_hash_init();
}

static int tear_down(void **state)
{
	standing_finish(*state);
	return 0;
}

static void friends_are_friends_both_ways(void **state)
{
	standing_praise(*state, alice, bob, 0);
	assert_int_equal(
		standing_rank(*state, alice, bob, home, 1), STANDING_FRIEND);
	assert_int_equal(
		standing_rank(*state, bob, alice, home, 1), STANDING_FRIEND);
	assert_int_equal(
		standing_rank(*state, carol, bob, home, 1), STANDING_UNKNOWN);
	assert_int_equal(
		standing_rank(*state, alice, bob, home, STANDING_FRIEND_FOR_MS),
		STANDING_UNKNOWN);
}

static void a_source_is_idle_for_some_time(void **state)
{
	standing_blame(*state, home, 0);
	standing_blame(*state, home, 1000);
	assert_int_equal(standing_rank(*state, alice, bob, home,
				 999 + STANDING_IDLE_FOR_MS),
		STANDING_IDLE);
	assert_int_equal(standing_rank(*state, alice, bob, home,
				 1000 + STANDING_IDLE_FOR_MS),
		STANDING_UNKNOWN);
	assert_int_equal(
		standing_rank(*state, alice, bob, carol, 1), STANDING_UNKNOWN);
	/* A successful pair outranks an idle source. */
	standing_praise(*state, alice, bob, 0);
	assert_int_equal(
		standing_rank(*state, alice, bob, home, 1), STANDING_FRIEND);
}

static void the_oldest_are_forgotten_where_there_are_too_many(void **state)
{
	struct standing *standing = *state;
	uint8_t source[ID_LEN] = {0};

	standing_blame(standing, home, 0);
	for (uint32_t i = 0; i < STANDING_MOST - 1; i++) {
		memcpy(source + 8, &i, sizeof(i));
		standing_blame(standing, source, 1);
	}
	assert_int_equal(
		standing_rank(standing, alice, bob, home, 2), STANDING_IDLE);
	standing_blame(standing, carol, 2);
	assert_int_equal(
		standing_rank(standing, alice, bob, home, 2), STANDING_UNKNOWN);
	assert_int_equal(
		standing_rank(standing, alice, bob, source, 2), STANDING_IDLE);
	assert_int_equal(standing->idle.count, STANDING_MOST);
	/* Outdated entries are removed with the next one added. */
	standing_blame(standing, home, 3 + STANDING_IDLE_FOR_MS);
	assert_int_equal(standing->idle.count, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(friends_are_friends_both_ways),
		TEST(a_source_is_idle_for_some_time),
		TEST(the_oldest_are_forgotten_where_there_are_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
