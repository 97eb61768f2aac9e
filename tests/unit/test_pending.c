/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the table of sessions that have not begun. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "pending.h"

static const uint8_t alice[ID_LEN] = {'a'}, bob[ID_LEN] = {'b'};
static const struct place here = {0, 7}, there = {1, 7};

struct fixture {
	struct pending_table table;
	uint8_t key[2][ID_LEN], other[ID_LEN];
	struct pending_pair pair;
	int64_t deadline_ms, next_ms;
};

static int set_up(void **state)
{
	static struct fixture fixture;

	memset(&fixture, 0, sizeof(fixture));
	*state = &fixture;
	return id_hash_init() || pending_init(&fixture.table) ||
	       pending_add(&fixture.table, alice, bob, 1000, fixture.key);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	pending_finish(&f->table);
	return 0;
}

static enum pending_answer claim(
	struct fixture *f, int side, struct place place, int64_t now_ms)
{
	return pending_claim(&f->table, f->key[side], place, now_ms, f->other,
		&f->deadline_ms, &f->pair);
}

static void the_two_keys_differ(void **state)
{
	struct fixture *f = *state;

	assert_memory_not_equal(f->key[0], f->key[1], ID_LEN);
	assert_int_equal(pending_keys(&f->table), 2);
}

static void two_halves_meet(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(claim(f, SIDE_SERVER, here, 0), PENDING_FIRST);
	assert_int_equal(f->deadline_ms, 1000);
	assert_memory_equal(f->other, f->key[SIDE_CLIENT], ID_LEN);
	assert_int_equal(claim(f, SIDE_CLIENT, there, 999), PENDING_SECOND);
	assert_memory_equal(f->pair.id[SIDE_CLIENT], alice, ID_LEN);
	assert_memory_equal(f->pair.id[SIDE_SERVER], bob, ID_LEN);
	assert_int_equal(f->pair.half.worker, here.worker);
	assert_int_equal(f->pair.half.conn, here.conn);
	assert_int_equal(f->pair.half_side, SIDE_SERVER);
	assert_int_equal(pending_keys(&f->table), 0);
}

static void a_key_works_once(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(claim(f, SIDE_CLIENT, here, 0), PENDING_FIRST);
	assert_int_equal(claim(f, SIDE_CLIENT, there, 0), PENDING_UNKNOWN);
	assert_int_equal(claim(f, SIDE_SERVER, there, 0), PENDING_SECOND);
	assert_int_equal(claim(f, SIDE_SERVER, there, 0), PENDING_UNKNOWN);
}

static void an_unknown_key_is_unknown(void **state)
{
	struct fixture *f = *state;

	f->key[0][5] ^= 1;
	assert_int_equal(claim(f, 0, here, 0), PENDING_UNKNOWN);
}

static void a_key_is_too_late_at_its_deadline(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(claim(f, SIDE_CLIENT, here, 1000), PENDING_UNKNOWN);
}

static void a_half_that_goes_takes_the_session_along(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(claim(f, SIDE_CLIENT, here, 0), PENDING_FIRST);
	pending_abandon(&f->table, f->other);
	assert_int_equal(pending_keys(&f->table), 0);
	assert_int_equal(claim(f, SIDE_SERVER, there, 0), PENDING_UNKNOWN);
	pending_abandon(&f->table, f->other);
}

static void expiry_forgets_the_old_and_keeps_the_new(void **state)
{
	struct fixture *f = *state;
	uint8_t later[2][ID_LEN];

	assert_int_equal(pending_add(&f->table, bob, alice, 2000, later), 0);
	assert_int_equal(pending_expire(&f->table, 999, &f->next_ms), 0);
	assert_int_equal(f->next_ms, 1000);
	assert_int_equal(pending_expire(&f->table, 1000, &f->next_ms), 1);
	assert_int_equal(f->next_ms, 2000);
	assert_int_equal(pending_keys(&f->table), 2);
	assert_int_equal(pending_expire(&f->table, 9999, &f->next_ms), 1);
	assert_true(f->next_ms == INT64_MAX);
}

static void the_table_has_a_bound(void **state)
{
	struct fixture *f = *state;
	uint8_t key[2][ID_LEN];

	pending_bound(&f->table, 1000, 0);
	for (int i = 1; i < 1000; i++)
		assert_int_equal(
			pending_add(&f->table, alice, bob, 1000, key), 0);
	assert_int_equal(pending_add(&f->table, alice, bob, 1000, key), -1);
	assert_int_equal(pending_expire(&f->table, 1000, &f->next_ms), 1000);
	assert_int_equal(pending_add(&f->table, alice, bob, 1000, key), 0);
}

static void a_device_has_a_bound_of_its_own(void **state)
{
	struct fixture *f = *state;
	uint8_t key[2][ID_LEN];

	pending_bound(&f->table, 0, 3);
	for (int i = 1; i < 3; i++) /* set_up made the first */
		assert_int_equal(
			pending_add(&f->table, alice, bob, 2000, key), 0);
	assert_int_equal(pending_add(&f->table, alice, bob, 2000, key), -1);
	/* Being asked for does not count. */
	assert_int_equal(pending_add(&f->table, bob, alice, 2000, key), 0);
	assert_int_equal(pending_expire(&f->table, 1000, &f->next_ms), 1);
	assert_int_equal(pending_add(&f->table, alice, bob, 2000, key), 0);
	assert_int_equal(pending_add(&f->table, alice, bob, 2000, key), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_two_keys_differ),
		TEST(two_halves_meet),
		TEST(a_key_works_once),
		TEST(an_unknown_key_is_unknown),
		TEST(a_key_is_too_late_at_its_deadline),
		TEST(a_half_that_goes_takes_the_session_along),
		TEST(expiry_forgets_the_old_and_keeps_the_new),
		TEST(the_table_has_a_bound),
		TEST(a_device_has_a_bound_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
