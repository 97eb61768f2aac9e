/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the directory of joined devices. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "relay/devices/directory.h"
#include "shared/id_hash.h"

static const uint8_t alice[ID_LEN] = {'a'}, bob[ID_LEN] = {'b'};
static const struct place first = {0, 1, false}, second = {1, 1, false},
			  third = {0, 3, false};
static const uint8_t here[ID_LEN] = {1}, there[ID_LEN] = {2};

static int set_up(void **state)
{
	static struct directory dir;

	*state = &dir;
	return id_hash_init() || directory_init(&dir);
}

static int tear_down(void **state)
{
	directory_finish(*state);
	return 0;
}

static enum directory_answer join_from(
	struct directory *dir, struct place place, const uint8_t *from)
{
	struct place owner;

	return directory_join(dir, alice, place, from, &owner);
}

static enum directory_answer join(struct directory *dir, struct place place)
{
	return join_from(dir, place, here);
}

static int link_from(struct directory *dir, struct part *part,
	const uint8_t *from, uint64_t session)
{
	*part = (struct part){.session = session};
	memcpy(part->from, from, ID_LEN);
	return directory_link(dir, part, alice);
}

static void check_owner(struct directory *dir, struct place want)
{
	struct place got = {.worker = -2};

	assert_true(directory_find(dir, alice, &got));
	assert_int_equal(got.worker, want.worker);
	assert_int_equal(got.conn, want.conn);
}

static void a_device_is_found_while_it_is_there(void **state)
{
	struct place owner;

	assert_false(directory_find(*state, alice, &owner));
	assert_int_equal(join(*state, first), DIRECTORY_JOINED);
	check_owner(*state, first);
	assert_false(directory_find(*state, bob, &owner));
	assert_int_equal(directory_leave(*state, alice, first, NULL).conn, 0);
	assert_false(directory_find(*state, alice, &owner));
}

static void a_second_one_challenges_and_a_third_is_refused(void **state)
{
	struct place owner = {.worker = -2};

	assert_int_equal(join(*state, first), DIRECTORY_JOINED);
	assert_int_equal(directory_join(*state, alice, second, here, &owner),
		DIRECTORY_CHALLENGED);
	assert_int_equal(owner.conn, first.conn);
	assert_int_equal(join(*state, third), DIRECTORY_TAKEN);
	check_owner(*state, first);
}

static void an_owner_that_answers_keeps_its_place(void **state)
{
	join(*state, first);
	join(*state, second);
	assert_int_equal(directory_defend(*state, alice, second).conn, 0);
	assert_int_equal(
		directory_defend(*state, alice, first).worker, second.worker);
	assert_int_equal(directory_defend(*state, alice, first).conn, 0);
	/* The connection that was replaced leaves without effect. */
	assert_int_equal(directory_leave(*state, alice, second, NULL).conn, 0);
	check_owner(*state, first);
}

static void an_owner_that_goes_is_followed_by_its_challenger(void **state)
{
	struct place successor;
	bool owned = false;

	join(*state, first);
	join(*state, second);
	successor = directory_leave(*state, alice, first, &owned);
	assert_true(owned);
	assert_int_equal(successor.worker, second.worker);
	assert_int_equal(successor.conn, second.conn);
	check_owner(*state, second);
	/* The old connection's second end must not remove the new one. */
	assert_int_equal(directory_leave(*state, alice, first, &owned).conn, 0);
	assert_false(owned);
	check_owner(*state, second);
	/* Whether it was told so or not. */
	assert_int_equal(
		directory_leave(*state, alice, second, &owned).conn, 0);
	assert_true(owned);
}

static void a_challenger_that_goes_has_owned_nothing(void **state)
{
	bool owned = true;

	join(*state, first);
	join(*state, second);
	(void)directory_leave(*state, alice, second, &owned);
	assert_false(owned);
	(void)directory_leave(*state, bob, second, &owned);
	assert_false(owned);
}

static void collect(uint64_t session, void *arg)
{
	*(uint64_t *)arg += session;
}

static void sessions_hang_on_the_device_until_they_end(void **state)
{
	struct part part[3];
	uint64_t sum = 0;

	assert_int_equal(link_from(*state, &part[0], here, 1), 0);
	assert_int_equal(link_from(*state, &part[1], here, 2), 0);
	assert_int_equal(link_from(*state, &part[2], here, 4), 0);
	assert_true(directory_busy(*state, alice));
	assert_false(directory_busy(*state, bob));
	directory_unlink(*state, &part[1]);
	directory_unlink(*state, &part[1]);
	directory_each_ending(*state, alice, collect, &sum);
	assert_int_equal(sum, 5);
	directory_unlink(*state, &part[2]);
	directory_unlink(*state, &part[0]);
	assert_false(directory_busy(*state, alice));
}

static void a_device_with_sessions_may_leave_and_come_back(void **state)
{
	struct part part;

	join(*state, first);
	assert_int_equal(link_from(*state, &part, here, 1), 0);
	directory_leave(*state, alice, first, NULL);
	assert_true(directory_busy(*state, alice));
	assert_int_equal(join(*state, second), DIRECTORY_JOINED);
	directory_unlink(*state, &part);
	check_owner(*state, second);
}

/* The sum of the ids of the sessions that end with the owner. */
static uint64_t ending(struct directory *dir)
{
	uint64_t sum = 0;

	directory_each_ending(dir, alice, collect, &sum);
	return sum;
}

static void what_a_device_opened_since_it_came_back_stays(void **state)
{
	struct part part[4];

	join(*state, first);
	link_from(*state, &part[0], here, 1);
	link_from(*state, &part[1], there, 2);
	assert_int_equal(ending(*state), 3);
	join_from(*state, second, there);
	link_from(*state, &part[2], there, 4);
	link_from(*state, &part[3], here, 8);
	assert_int_equal(ending(*state), 1);
	directory_leave(*state, alice, first, NULL);
	/* It is the owner now, so all sessions are its own. */
	assert_int_equal(ending(*state), 15);
	/* From the same address, only the time decides. */
	join_from(*state, third, there);
	assert_int_equal(ending(*state), 15);
	for (int i = 0; i < 4; i++)
		directory_unlink(*state, &part[i]);
}

static void very_many_devices(void **state)
{
	struct place owner;
	uint8_t id[ID_LEN] = {0};

	for (uint32_t i = 0; i < 20000; i++) {
		memcpy(id, &i, sizeof(i));
		assert_int_equal(
			directory_join(*state, id, (struct place){0, i + 1},
				here, &owner),
			DIRECTORY_JOINED);
	}
	for (uint32_t i = 0; i < 20000; i++) {
		memcpy(id, &i, sizeof(i));
		assert_true(directory_find(*state, id, &owner));
		assert_int_equal(owner.conn, i + 1);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_device_is_found_while_it_is_there),
		TEST(a_second_one_challenges_and_a_third_is_refused),
		TEST(an_owner_that_answers_keeps_its_place),
		TEST(an_owner_that_goes_is_followed_by_its_challenger),
		TEST(a_challenger_that_goes_has_owned_nothing),
		TEST(sessions_hang_on_the_device_until_they_end),
		TEST(a_device_with_sessions_may_leave_and_come_back),
		TEST(what_a_device_opened_since_it_came_back_stays),
		TEST(very_many_devices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
