/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the order of invitations for a device that many request. */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "relay/requests/pending.h"

#define LATER INT64_C(1000000000)

static const uint8_t device[ID_LEN] = {'d'};

/* A requester: its ID, its source, and the keys it got. */
struct asker {
	uint8_t id[ID_LEN];
	struct source source;
	uint8_t key[2][ID_LEN];
	uint8_t other[ID_LEN];
};

struct fixture {
	struct pending_table table;
	struct action action;
	struct pending_pair pair;
	struct place lost[2];
	int64_t deadline_ms;
};

static int set_up(void **state)
{
	static struct fixture fixture;
	const struct pending_bounds bounds = {.of_asker = 4, .in_queue = 8};

	memset(&fixture, 0, sizeof(fixture));
	*state = &fixture;
	if (id_hash_init() || pending_init(&fixture.table))
		return -1;
	pending_bound(&fixture.table, &bounds);
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	pending_finish(&f->table);
	return 0;
}

static enum pending_room ask_from(struct fixture *f, struct asker *asker,
	uint8_t name, unsigned address, int64_t now_ms)
{
	const struct sockaddr_in from = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(0x0a000000U + address)};
	struct sockaddr_storage any = {0};

	memset(asker, 0, sizeof(*asker));
	asker->id[0] = name;
	memcpy(&any, &from, sizeof(from));
	source_read(&any, &asker->source);
	return pending_add(&f->table, asker->id, device, &asker->source, LATER,
		now_ms, asker->key, f->lost);
}

/* Requests the device, each requester from its own address. */
static void ask(
	struct fixture *f, struct asker *asker, uint8_t name, int64_t now_ms)
{
	assert_int_equal(ask_from(f, asker, name, name, now_ms), PENDING_ROOM);
}

static void come(
	struct fixture *f, struct asker *asker, int side, int64_t now_ms)
{
	const struct place place = {.worker = side, .conn = asker->id[0]};

	assert_int_not_equal(
		pending_claim(&f->table, asker->key[side], place, now_ms,
			asker->other, &f->deadline_ms, &f->pair),
		PENDING_UNKNOWN);
}

static void speak(struct fixture *f, struct asker *asker, int64_t now_ms)
{
	uint8_t target[ID_LEN];

	come(f, asker, SIDE_CLIENT, now_ms);
	assert_true(pending_spoke(&f->table, asker->other, target));
	assert_memory_equal(target, device, ID_LEN);
}

static enum action_kind action(struct fixture *f, int64_t now_ms)
{
	pending_schedule(&f->table, device, true, false, now_ms, &f->action);
	return (enum action_kind)f->action.kind;
}

/* Expects an invitation for this requester, and no other one yet. */
static void expect(struct fixture *f, const struct asker *asker, int64_t now_ms)
{
	assert_int_equal(action(f, now_ms), ACTION_SEND);
	assert_int_equal(f->action.from[0], asker->id[0]);
	assert_memory_equal(f->action.key, asker->key[SIDE_SERVER], ID_LEN);
	assert_true(action(f, now_ms) != ACTION_SEND);
}

static void session_over(struct fixture *f, const struct asker *asker,
	uint64_t serial, int64_t lasted_ms, bool answered, int64_t now_ms)
{
	const struct pending_end end = {
		.id = {asker ? asker->id : device, device},
		.serial = serial,
		.lasted_ms = lasted_ms,
		.answered = answered};

	pending_over(&f->table, &end, now_ms);
}

/* Expects that the device's current session is ended without result. */
static void end_for_nothing(struct fixture *f, int64_t now_ms)
{
	uint64_t serial;

	assert_int_equal(action(f, now_ms), ACTION_END);
	serial = f->action.serial;
	/* It is busy until the session is over. */
	assert_int_equal(action(f, now_ms), ACTION_WAIT);
	session_over(f, NULL, serial, 0, false, now_ms);
}

static void who_is_alone_passes_at_once(void **state)
{
	struct fixture *f = *state;
	struct asker a, b;

	ask(f, &a, 1, 0);
	expect(f, &a, 0);
	come(f, &a, SIDE_SERVER, 10);
	come(f, &a, SIDE_CLIENT, 10);
	assert_int_equal(action(f, 20), ACTION_NONE);
	/* A session with both sides is not ended, however long it lasts. */
	assert_int_equal(action(f, 900000), ACTION_NONE);
	ask(f, &b, 2, 900000);
	expect(f, &b, 900000);
}

static void the_next_is_sent_when_the_last_is_taken(void **state)
{
	struct fixture *f = *state;
	struct asker a, b, c;

	ask(f, &a, 1, 0);
	expect(f, &a, 0);
	ask(f, &b, 2, 1);
	ask(f, &c, 3, 2);
	speak(f, &b, 3);
	speak(f, &c, 3);
	assert_int_equal(action(f, 3), ACTION_WAIT);
	assert_int_equal(pending_waiting(&f->table), 2);
	come(f, &a, SIDE_SERVER, 5);
	expect(f, &b, 5);
	come(f, &b, SIDE_SERVER, 6);
	expect(f, &c, 6);
	assert_int_equal(pending_waiting(&f->table), 0);
}

/* A device that joins a session while another one continues gets its
 * invitations without waiting. */
static void a_device_that_takes_many_at_a_time_has_all(void **state)
{
	struct fixture *f = *state;
	struct asker asker[6], late;
	int64_t now_ms = QUEUE_SLICE_MS + 1;

	for (uint8_t i = 0; i < 6; i++)
		ask(f, &asker[i], (uint8_t)(i + 1), 0);
	expect(f, &asker[0], 0);
	come(f, &asker[0], SIDE_SERVER, 1);
	/* It is not known yet whether the device takes several at once. */
	assert_int_equal(action(f, 2), ACTION_WAIT);
	expect(f, &asker[1], now_ms);
	for (int i = 1; i < 5; i++) {
		come(f, &asker[i], SIDE_SERVER, ++now_ms);
		expect(f, &asker[i + 1], now_ms);
	}
	/* This ends when the device lets an invitation wait. */
	now_ms += QUEUE_UNTAKEN_MS;
	come(f, &asker[5], SIDE_SERVER, now_ms);
	ask(f, &late, 7, now_ms);
	assert_int_equal(action(f, now_ms), ACTION_WAIT);
}

static void a_device_that_takes_none_has_one_a_second(void **state)
{
	struct fixture *f = *state;
	struct asker a, b, c;

	ask(f, &a, 1, 0);
	expect(f, &a, 0);
	ask(f, &b, 2, 0);
	ask(f, &c, 3, 0);
	assert_int_equal(action(f, QUEUE_UNTAKEN_MS - 1), ACTION_WAIT);
	assert_int_equal(pending_active(&f->table), 1);
	expect(f, &b, QUEUE_UNTAKEN_MS);
	expect(f, &c, 2 * QUEUE_UNTAKEN_MS);
	assert_int_equal(pending_active(&f->table), 0);
}

static void what_keeps_it_busy_has_one_turn(void **state)
{
	struct fixture *f = *state;
	struct asker bad, good;

	ask(f, &bad, 1, 0);
	expect(f, &bad, 0);
	come(f, &bad, SIDE_CLIENT, 1);
	come(f, &bad, SIDE_SERVER, 2);
	ask(f, &good, 2, 100);
	assert_int_equal(action(f, 100), ACTION_WAIT); /* has said nothing */
	speak(f, &good, 200);
	expect(f, &good, 200);
	assert_int_equal(action(f, 200 + QUEUE_SLICE_MS - 1), ACTION_WAIT);
	assert_int_equal(action(f, 200 + QUEUE_SLICE_MS), ACTION_END);
	assert_int_equal(f->action.half.worker, SIDE_CLIENT);
	assert_int_equal(f->action.half.conn, 1);
	come(f, &good, SIDE_SERVER, 201 + QUEUE_SLICE_MS);
	assert_int_equal(action(f, LATER - 1), ACTION_NONE);
}

static void who_kept_it_busy_comes_last(void **state)
{
	struct fixture *f = *state;
	struct asker bad, again, good;

	ask(f, &bad, 1, 0);
	expect(f, &bad, 0);
	come(f, &bad, SIDE_SERVER, 1);
	ask(f, &again, 1, 2);
	speak(f, &again, 2);
	expect(f, &again, 2);
	end_for_nothing(f, 2 + QUEUE_SLICE_MS);
	/* The requester's second session is the current one; it is ended for a
	 * better one. */
	come(f, &again, SIDE_SERVER, 3 + QUEUE_SLICE_MS);
	ask(f, &bad, 1, 4 + QUEUE_SLICE_MS);
	speak(f, &bad, 4 + QUEUE_SLICE_MS);
	assert_int_equal(action(f, 5 + QUEUE_SLICE_MS), ACTION_WAIT);
	ask(f, &good, 2, 6 + QUEUE_SLICE_MS);
	speak(f, &good, 6 + QUEUE_SLICE_MS);
	expect(f, &good, 6 + QUEUE_SLICE_MS);
	/* A session is not ended for a worse one. */
	come(f, &good, SIDE_SERVER, 7 + QUEUE_SLICE_MS);
	assert_int_equal(action(f, 7 + 2 * QUEUE_SLICE_MS), ACTION_END);
	assert_int_equal(f->action.half.conn, 0);
	assert_int_equal(f->action.previous.conn, again.id[0]);
	assert_int_equal(action(f, 7 + 2 * QUEUE_SLICE_MS), ACTION_SEND);
	assert_int_equal(action(f, 8 + 3 * QUEUE_SLICE_MS), ACTION_WAIT);
}

static void what_keeps_it_busy_again_has_another_turn(void **state)
{
	struct fixture *f = *state;
	struct asker first, last, good;

	ask(f, &first, 1, 0);
	expect(f, &first, 0);
	come(f, &first, SIDE_SERVER, 1);
	ask(f, &last, 2, 1);
	speak(f, &last, 1);
	expect(f, &last, 1);
	come(f, &last, SIDE_SERVER, 2);
	ask(f, &good, 3, 3);
	speak(f, &good, 3);
	expect(f, &good, 3);
	end_for_nothing(f, 3 + QUEUE_SLICE_MS);
	assert_int_equal(action(f, 2 + 2 * QUEUE_SLICE_MS), ACTION_WAIT);
	assert_int_equal(action(f, 3 + 2 * QUEUE_SLICE_MS), ACTION_END);
	assert_int_equal(f->action.half.conn, first.id[0]);
}

static void a_better_one_has_the_place_of_one_not_taken(void **state)
{
	struct fixture *f = *state;
	struct asker bad, silent, good;

	ask(f, &bad, 1, 0);
	expect(f, &bad, 0);
	come(f, &bad, SIDE_SERVER, 1);
	ask(f, &silent, 2, 2);
	come(f, &silent, SIDE_CLIENT, 2);
	expect(f, &silent, 1 + QUEUE_SLICE_MS);
	ask(f, &good, 3, 2 + QUEUE_SLICE_MS);
	speak(f, &good, 2 + QUEUE_SLICE_MS);
	assert_int_equal(action(f, 2 + QUEUE_SLICE_MS), ACTION_WITHDRAW);
	assert_int_equal(f->action.half.conn, silent.id[0]);
	expect(f, &good, 2 + QUEUE_SLICE_MS);
}

static void friends_come_first_and_are_not_ended(void **state)
{
	struct fixture *f = *state;
	struct asker a, b, friend;

	ask(f, &friend, 9, 0);
	expect(f, &friend, 0);
	come(f, &friend, SIDE_SERVER, 0);
	come(f, &friend, SIDE_CLIENT, 0);
	session_over(
		f, &friend, f->pair.serial, REPUTATION_FRIEND_MS, true, 100000);
	ask(f, &a, 1, 100000);
	expect(f, &a, 100000);
	ask(f, &b, 2, 100000);
	ask(f, &friend, 9, 100000);
	speak(f, &b, 100000);
	come(f, &a, SIDE_SERVER, 100001);
	expect(f, &friend, 100001); /* although its half has sent nothing yet */
	come(f, &friend, SIDE_SERVER, 100002);
	expect(f, &b, 100002);
	assert_int_equal(action(f, 100002 + 2 * QUEUE_SLICE_MS), ACTION_END);
	assert_int_equal(f->action.half.conn, 0);
	assert_int_equal(f->action.previous.conn, a.id[0]);
	assert_int_equal(action(f, 100002 + 2 * QUEUE_SLICE_MS), ACTION_WAIT);
	/* By then Syncthing has given up the session anyway. */
	assert_int_equal(action(f, 100002 + QUEUE_BUSY_MS), ACTION_NONE);
}

static void a_short_session_makes_no_friend(void **state)
{
	struct fixture *f = *state;
	struct asker a, b, c;

	ask(f, &c, 3, 0);
	expect(f, &c, 0);
	come(f, &c, SIDE_SERVER, 0);
	come(f, &c, SIDE_CLIENT, 0);
	session_over(
		f, &c, f->pair.serial, REPUTATION_FRIEND_MS - 1, true, 100000);
	ask(f, &a, 1, 100000);
	expect(f, &a, 100000);
	ask(f, &b, 2, 100000);
	ask(f, &c, 3, 100000);
	come(f, &a, SIDE_SERVER, 100001);
	speak(f, &b, 100001);
	speak(f, &c, 100001);
	expect(f, &b, 100001);
}

static void the_end_of_a_session_frees_the_device(void **state)
{
	struct fixture *f = *state;
	struct asker a, b;
	uint64_t serial;

	ask(f, &a, 1, 0);
	expect(f, &a, 0);
	come(f, &a, SIDE_SERVER, 1);
	come(f, &a, SIDE_CLIENT, 1);
	serial = f->pair.serial;
	ask(f, &b, 2, 2); /* its half does not come, so it would have to wait */
	assert_int_equal(action(f, 2), ACTION_WAIT);
	session_over(f, &a, serial + 1, 1, true, 3);
	assert_int_equal(action(f, 3), ACTION_WAIT);
	session_over(f, &a, serial, 1, true, 3);
	expect(f, &b, 3);
}

static void sources_take_turns(void **state)
{
	struct fixture *f = *state;
	struct asker first, many[3], one;

	assert_int_equal(ask_from(f, &first, 1, 1, 0), PENDING_ROOM);
	expect(f, &first, 0);
	for (uint8_t i = 0; i < 3; i++) {
		assert_int_equal(
			ask_from(f, &many[i], 10 + i, 1, 0), PENDING_ROOM);
		speak(f, &many[i], 0);
	}
	assert_int_equal(ask_from(f, &one, 20, 2, 0), PENDING_ROOM);
	speak(f, &one, 0);
	come(f, &first, SIDE_SERVER, 1);
	expect(f, &one, 1);
	come(f, &one, SIDE_SERVER, 2);
	expect(f, &many[0], 2);
}

static void few_are_kept_of_one_asker_and_one_source(void **state)
{
	struct fixture *f = *state;
	struct asker a;

	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(ask_from(f, &a, 1, i, 0), PENDING_ROOM);
	assert_int_equal(ask_from(f, &a, 1, 9, 0), PENDING_QUEUE_ROOM);
	for (uint8_t i = 0; i < 3; i++)
		assert_int_equal(ask_from(f, &a, 2 + i, 9, 0), PENDING_ROOM);
	assert_int_equal(ask_from(f, &a, 7, 9, 0), PENDING_QUEUE_ROOM);
	assert_int_equal(pending_sessions(&f->table), 7);
}

static void one_that_goes_does_not_let_the_next_pass(void **state)
{
	struct fixture *f = *state;
	struct asker a, b;

	ask(f, &a, 1, 0);
	expect(f, &a, 0);
	come(f, &a, SIDE_SERVER, 1);
	for (int64_t i = 2; i < 100; i++) { /* each drops the oldest one */
		ask_from(f, &b, 2, 2, i);
		speak(f, &b, i);
		assert_int_equal(
			action(f, i), i == 2 ? ACTION_SEND : ACTION_WAIT);
	}
	/* The current session is ended nevertheless. */
	assert_int_equal(action(f, 2 + QUEUE_SLICE_MS), ACTION_END);
}

static void a_full_line_keeps_the_better(void **state)
{
	struct fixture *f = *state;
	struct asker bad, a;

	ask(f, &bad, 1, 0);
	expect(f, &bad, 0);
	come(f, &bad, SIDE_SERVER, 1);
	ask(f, &a, 2, 2);
	speak(f, &a, 2);
	expect(f, &a, 2);
	end_for_nothing(f, 2 + QUEUE_SLICE_MS);
	assert_true(pending_abandon(&f->table, bad.other, 3, a.other));
	for (uint8_t i = 3; i < 10; i++)
		ask(f, &a, i, 5000);
	assert_int_equal(ask_from(f, &bad, 1, 1, 5000), PENDING_QUEUE_FULL);
	assert_int_equal(ask_from(f, &a, 20, 20, 5000), PENDING_QUEUE_ROOM);
	assert_int_equal(pending_sessions(&f->table), 8);
}

/* The device may be busy with a successful session. */
static void who_is_not_blamed_keeps_its_place(void **state)
{
	struct fixture *f = *state;
	struct asker good, a, b;

	ask(f, &good, 1, 0);
	expect(f, &good, 0);
	come(f, &good, SIDE_SERVER, 1);
	come(f, &good, SIDE_CLIENT, 1);
	ask(f, &a, 2, 2);
	speak(f, &a, 2);
	expect(f, &a, 2);
	assert_int_equal(action(f, 2 + QUEUE_SLICE_MS), ACTION_END);
	ask(f, &good, 1, 3 + QUEUE_SLICE_MS);
	ask(f, &b, 3, 4 + QUEUE_SLICE_MS);
	/* More invitations would not help a device that takes none. */
	assert_int_equal(action(f, QUEUE_BUSY_MS), ACTION_WAIT);
	expect(f, &good, 1 + QUEUE_BUSY_MS);
}

/* The device is busy with a session of `bad`, whose serial number is returned,
 * and `good` waits. */
static uint64_t let_others_wait(struct fixture *f, struct asker *bad,
	struct asker *good, int64_t now_ms)
{
	uint64_t serial;

	ask(f, bad, 1, now_ms);
	expect(f, bad, now_ms);
	come(f, bad, SIDE_CLIENT, now_ms);
	come(f, bad, SIDE_SERVER, now_ms);
	serial = f->pair.serial;
	ask(f, good, 2, now_ms);
	speak(f, good, now_ms);
	expect(f, good, now_ms);
	return serial;
}

static bool is_blamed(struct fixture *f, const struct asker *asker)
{
	return reputation_rank(&f->table.queues.reputation, asker->id, device,
		       asker->source.key[asker->source.levels - 1],
		       QUEUE_BUSY_MS) == REPUTATION_IDLE;
}

/* It leaves before its turn is over, again and again. */
static void short_waits_add_up(void **state)
{
	struct fixture *f = *state;
	const int64_t part = QUEUE_SLICE_MS - 100;
	struct asker bad, good;
	uint64_t serial;

	serial = let_others_wait(f, &bad, &good, 0);
	session_over(f, &bad, serial, part, false, part);
	assert_false(is_blamed(f, &bad));
	come(f, &good, SIDE_SERVER, part);
	session_over(f, &good, f->pair.serial, 0, false, part);
	serial = let_others_wait(f, &bad, &good, part);
	session_over(f, &bad, serial, 100, false, part + 100);
	assert_true(is_blamed(f, &bad));
	assert_false(is_blamed(f, &good));
}

static void a_device_that_answers_has_not_waited_in_vain(void **state)
{
	struct fixture *f = *state;
	struct asker one, other;
	uint64_t serial;

	serial = let_others_wait(f, &one, &other, 0);
	assert_int_equal(action(f, QUEUE_SLICE_MS), ACTION_END);
	assert_int_equal(f->action.serial, serial);
	session_over(f, &one, serial, QUEUE_SLICE_MS, true, QUEUE_SLICE_MS);
	assert_false(is_blamed(f, &one));
}

/* If the session has lasted this long, the handshake in it had succeeded. */
static void a_long_session_is_not_blamed(void **state)
{
	struct fixture *f = *state;
	struct asker one, other;
	uint64_t serial;

	serial = let_others_wait(f, &one, &other, 0);
	session_over(f, &one, serial, QUEUE_BUSY_MS, false, QUEUE_BUSY_MS);
	assert_false(is_blamed(f, &one));
}

/* Syncthing 1.19 waits for the Hello of `bad`; `good` is in the way as well. */
static void the_session_before_is_ended_first(void **state)
{
	struct fixture *f = *state;
	struct asker bad, good, next;
	const int64_t end_ms = QUEUE_SLICE_MS + 1;
	uint64_t serial;

	serial = let_others_wait(f, &bad, &good, 0);
	come(f, &good, SIDE_SERVER, 1);
	ask(f, &next, 3, 1);
	speak(f, &next, 1);
	expect(f, &next, 1);
	assert_int_equal(action(f, end_ms), ACTION_END);
	assert_int_equal(f->action.previous_serial, serial);
	assert_int_equal(f->action.half.conn, 2);
	assert_int_equal(action(f, end_ms), ACTION_WAIT);
	session_over(f, &bad, serial, end_ms, false, end_ms);
	assert_false(is_blamed(f, &bad)); /* it may not have been the cause */
	assert_int_equal(action(f, end_ms), ACTION_WAIT);
	come(f, &next, SIDE_SERVER, end_ms + 1);
	assert_true(is_blamed(f, &bad));
	assert_false(is_blamed(f, &good));
}

/* A requester that disconnects after its handshake still delays the next ones.
 */
static void the_session_before_is_ended_after_the_last_one(void **state)
{
	struct fixture *f = *state;
	struct asker bad, accomplice, next;
	uint64_t serial, last;

	serial = let_others_wait(f, &bad, &accomplice, 0);
	come(f, &accomplice, SIDE_SERVER, 1);
	last = f->pair.serial;
	ask(f, &next, 3, 1);
	speak(f, &next, 1);
	expect(f, &next, 1);
	session_over(f, &accomplice, last, 0, false, 2);
	assert_int_equal(action(f, 1 + QUEUE_SLICE_MS), ACTION_WAIT);
	assert_int_equal(action(f, 2 + QUEUE_SLICE_MS), ACTION_END);
	assert_int_equal(f->action.serial, serial);
	session_over(f, &bad, serial, 0, false, 2 + QUEUE_SLICE_MS);
	assert_true(is_blamed(f, &bad));
}

static void where_the_one_before_was_not_the_cause_the_last_one_ends(
	void **state)
{
	struct fixture *f = *state;
	struct asker good, bad, next;
	const int64_t end_ms = QUEUE_SLICE_MS + 1;
	uint64_t serial;

	serial = let_others_wait(f, &good, &bad, 0);
	come(f, &bad, SIDE_SERVER, 1);
	ask(f, &next, 3, 1);
	speak(f, &next, 1);
	expect(f, &next, 1);
	assert_int_equal(action(f, end_ms), ACTION_END);
	pending_absolve(&f->table, device, serial, end_ms);
	end_for_nothing(f, end_ms + QUEUE_SLICE_MS);
	come(f, &next, SIDE_SERVER, end_ms + QUEUE_SLICE_MS);
	assert_true(is_blamed(f, &bad));
	assert_false(is_blamed(f, &good));
}

/* Its side could not begin, so no end of a session will come. */
static void a_session_that_fails_frees_the_device(void **state)
{
	struct fixture *f = *state;
	struct asker one, other, next;

	let_others_wait(f, &one, &other, 0);
	ask(f, &next, 3, 1);
	assert_int_equal(action(f, QUEUE_SLICE_MS), ACTION_END);
	pending_absolve(&f->table, device, f->action.serial, QUEUE_SLICE_MS);
	assert_false(is_blamed(f, &one));
	expect(f, &next, QUEUE_SLICE_MS + QUEUE_UNTAKEN_MS);
}

static void who_asks_most_gives_up_its_own(void **state)
{
	struct fixture *f = *state;
	struct asker first, many[7], again;

	ask(f, &first, 1, 0);
	for (uint8_t i = 0; i < 7; i++) {
		ask(f, &many[i], 2 + i, 1);
		come(f, &many[i], SIDE_CLIENT, 1);
	}
	for (uint8_t i = 0; i < 7; i++) {
		assert_int_equal(ask_from(f, &again, 20 + i, 2 + i, 2),
			PENDING_QUEUE_ROOM);
		assert_int_equal(f->lost[0].conn, many[i].id[0]);
	}
	come(f, &first, SIDE_CLIENT, 3);
	/* A request of another source drops the oldest one whose half has not
	 * come. */
	assert_int_equal(ask_from(f, &again, 30, 30, 4), PENDING_QUEUE_ROOM);
	come(f, &first, SIDE_SERVER, 5);
}

static void all_that_waits_can_be_sent_at_once(void **state)
{
	struct fixture *f = *state;
	struct asker a[4];

	for (uint8_t i = 0; i < 4; i++)
		ask(f, &a[i], 1 + i, 0);
	for (int i = 0; i < 4; i++) {
		pending_schedule(&f->table, device, true, true, 0, &f->action);
		assert_int_equal(f->action.kind, ACTION_SEND);
	}
	pending_schedule(&f->table, device, true, true, 0, &f->action);
	assert_int_equal(f->action.kind, ACTION_NONE);
}

static void nothing_is_sent_to_a_device_that_is_not_there(void **state)
{
	struct fixture *f = *state;
	struct asker a;

	ask(f, &a, 1, 0);
	pending_schedule(&f->table, device, false, false, 0, &f->action);
	assert_int_equal(f->action.kind, ACTION_WAIT);
	expect(f, &a, 500);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_is_alone_passes_at_once),
		TEST(the_next_is_sent_when_the_last_is_taken),
		TEST(a_device_that_takes_many_at_a_time_has_all),
		TEST(a_device_that_takes_none_has_one_a_second),
		TEST(what_keeps_it_busy_has_one_turn),
		TEST(who_kept_it_busy_comes_last),
		TEST(what_keeps_it_busy_again_has_another_turn),
		TEST(a_better_one_has_the_place_of_one_not_taken),
		TEST(friends_come_first_and_are_not_ended),
		TEST(a_short_session_makes_no_friend),
		TEST(the_end_of_a_session_frees_the_device),
		TEST(sources_take_turns),
		TEST(few_are_kept_of_one_asker_and_one_source),
		TEST(one_that_goes_does_not_let_the_next_pass),
		TEST(a_full_line_keeps_the_better),
		TEST(who_is_not_blamed_keeps_its_place),
		TEST(short_waits_add_up),
		TEST(a_device_that_answers_has_not_waited_in_vain),
		TEST(a_long_session_is_not_blamed),
		TEST(a_session_that_fails_frees_the_device),
		TEST(the_session_before_is_ended_first),
		TEST(the_session_before_is_ended_after_the_last_one),
		TEST(where_the_one_before_was_not_the_cause_the_last_one_ends),
		TEST(who_asks_most_gives_up_its_own),
		TEST(all_that_waits_can_be_sent_at_once),
		TEST(nothing_is_sent_to_a_device_that_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
