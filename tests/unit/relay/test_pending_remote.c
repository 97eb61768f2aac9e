/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of sessions that two relays hold together: one holds the session, the
 * other one invites. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "relay/requests/pending.h"

static const uint8_t alice[ID_LEN] = {'a'}, bob[ID_LEN] = {'b'},
		     carol[ID_LEN] = {'c'};
static const struct place here = {0, 7, false}, there = {1, 7, false};
static const struct source nowhere; /* without levels: exempt */
static const struct relay_found far = {.address = {192, 0, 2, 7},
	.address_len = 4,
	.port = 4321,
	.key_len = 3,
	.key = "key"};

#define DEADLINE 60000

struct fixture {
	struct pending_table table;
	uint8_t key[2][ID_LEN], other[ID_LEN];
	struct pending_pair pair;
	struct action action;
	struct place lost[2];
};

static int set_up(void **state)
{
	static struct fixture fixture;

	memset(&fixture, 0, sizeof(fixture));
	*state = &fixture;
	return id_hash_init() || pending_init(&fixture.table);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	pending_finish(&f->table);
	return 0;
}

/* For bob. */
static enum pending_room add(struct fixture *f, const uint8_t *client,
	const struct relay_found *found, int64_t now_ms)
{
	return pending_add_remote(&f->table, client, bob, &nowhere, DEADLINE,
		now_ms, found, f->key, f->lost);
}

static enum pending_room add_here(
	struct fixture *f, const uint8_t *client, int64_t now_ms)
{
	return pending_add(&f->table, client, bob, &nowhere, DEADLINE, now_ms,
		f->key, f->lost);
}

static enum pending_answer claim(
	struct fixture *f, int side, struct place place, int64_t now_ms)
{
	int64_t deadline_ms;

	return pending_claim(&f->table, f->key[side], place, now_ms, f->other,
		&deadline_ms, &f->pair);
}

/* Bob is here. */
static enum action_kind next(struct fixture *f, int64_t now_ms)
{
	pending_schedule(&f->table, bob, true, false, now_ms, &f->action);
	return (enum action_kind)f->action.kind;
}

static void what_others_invite_to_is_not_sent(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(add(f, alice, NULL, 0), PENDING_ROOM);
	assert_int_equal(pending_sessions(&f->table), 1);
	assert_int_equal(pending_waiting(&f->table), 0);
	assert_int_equal(next(f, 0), ACTION_NONE);
	pending_schedule(&f->table, bob, true, true, 0, &f->action);
	assert_int_equal(f->action.kind, ACTION_NONE);
	assert_false(pending_give_up(&f->table, bob, 0, &f->lost[0]));
	assert_int_equal(claim(f, SIDE_SERVER, here, 1), PENDING_FIRST);
	assert_int_equal(claim(f, SIDE_CLIENT, there, 2), PENDING_SECOND);
	assert_memory_equal(f->pair.id[SIDE_CLIENT], alice, ID_LEN);
	assert_int_equal(pending_sessions(&f->table), 0);
}

static void what_others_hold_has_no_keys(void **state)
{
	struct fixture *f = *state;
	int64_t next_ms;

	assert_int_equal(add(f, alice, &far, 0), PENDING_ROOM);
	assert_int_equal(pending_keys(&f->table), 0);
	assert_int_equal(claim(f, SIDE_CLIENT, here, 0), PENDING_UNKNOWN);
	/* A drain need not wait for it. */
	assert_int_equal(pending_sessions(&f->table), 0);
	assert_int_equal(pending_waiting(&f->table), 1);
	assert_int_equal(next(f, 0), ACTION_SEND);
	assert_memory_equal(f->action.from, alice, ID_LEN);
	assert_memory_equal(&f->action.found, &far, sizeof(far));
	assert_int_equal(pending_waiting(&f->table), 0);
	assert_int_equal(next(f, 0), ACTION_NONE);
	/* No session has failed to begin. */
	assert_int_equal(pending_expire(&f->table, DEADLINE, &next_ms), 0);
	assert_true(next_ms == INT64_MAX);
}

static void what_others_hold_counts_until_its_deadline(void **state)
{
	const struct pending_bounds bounds = {.of_device = 1};
	struct fixture *f = *state;
	int64_t next_ms;

	pending_bound(&f->table, &bounds);
	assert_int_equal(add(f, alice, &far, 0), PENDING_ROOM);
	assert_int_equal(next(f, 0), ACTION_SEND);
	assert_int_equal(add_here(f, alice, 1), PENDING_DEVICE_FULL);
	assert_int_equal(add(f, alice, NULL, 1), PENDING_DEVICE_FULL);
	(void)pending_expire(&f->table, DEADLINE, &next_ms);
	assert_int_equal(add_here(f, alice, DEADLINE), PENDING_ROOM);
}

static void invitations_elsewhere_have_a_pace(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(add(f, alice, &far, 1), PENDING_ROOM);
	assert_int_equal(add(f, carol, &far, 1), PENDING_ROOM);
	assert_int_equal(next(f, 1), ACTION_SEND);
	assert_int_equal(next(f, QUEUE_AWAY_MS), ACTION_WAIT);
	assert_int_equal(next(f, QUEUE_AWAY_MS + 1), ACTION_SEND);
	assert_memory_equal(f->action.from, carol, ID_LEN);
	/* Before the end of its connection, all are sent. */
	assert_int_equal(add(f, alice, &far, QUEUE_AWAY_MS + 2), PENDING_ROOM);
	pending_schedule(
		&f->table, bob, true, true, QUEUE_AWAY_MS + 2, &f->action);
	assert_int_equal(f->action.kind, ACTION_SEND);
}

static void who_went_elsewhere_is_not_late_here(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(add_here(f, carol, 1), PENDING_ROOM);
	assert_int_equal(next(f, 1), ACTION_SEND);
	assert_int_equal(claim(f, SIDE_SERVER, here, 1), PENDING_FIRST);
	assert_int_equal(claim(f, SIDE_CLIENT, there, 1), PENDING_SECOND);
	assert_int_equal(add(f, alice, &far, 2), PENDING_ROOM);
	/* It waits its turn while the device may be busy. */
	assert_int_equal(next(f, 2), ACTION_WAIT);
	assert_int_equal(next(f, 1 + QUEUE_SLICE_MS), ACTION_SEND);
	assert_int_equal(f->action.found.key_len, far.key_len);
	/* If it were late, the session with carol would end, and the next
	 * invitation would wait. */
	assert_int_equal(next(f, 1 + 2 * QUEUE_SLICE_MS), ACTION_NONE);
	assert_int_equal(
		add_here(f, alice, 2 + 2 * QUEUE_SLICE_MS), PENDING_ROOM);
	assert_int_equal(next(f, 2 + 2 * QUEUE_SLICE_MS), ACTION_SEND);
	assert_int_equal(f->action.found.key_len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		TEST(what_others_invite_to_is_not_sent),
		TEST(what_others_hold_has_no_keys),
		TEST(what_others_hold_counts_until_its_deadline),
		TEST(invitations_elsewhere_have_a_pace),
		TEST(who_went_elsewhere_is_not_late_here),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
