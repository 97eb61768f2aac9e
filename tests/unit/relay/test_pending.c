/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the table of sessions that have not begun. */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "relay/requests/pending.h"

static const uint8_t alice[ID_LEN] = {'a'}, bob[ID_LEN] = {'b'};
static const struct place here = {0, 7, false}, there = {1, 7, false};

static const struct source nowhere; /* without levels: exempt */

/* The allocation that fails; 0: none. */
static int fails_at, allocations;

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

static bool fails_now(void)
{
	return fails_at && ++allocations == fails_at;
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails_now() ? NULL : __real_calloc(count, size);
}

void *__wrap_malloc(size_t size)
{
	return fails_now() ? NULL : __real_malloc(size);
}

struct fixture {
	struct pending_table table;
	uint8_t key[2][ID_LEN], other[ID_LEN];
	struct pending_pair pair;
	int64_t deadline_ms, next_ms;
	struct place lost[2];
};

static enum pending_room add(struct fixture *f, const uint8_t *client,
	const struct source *source, uint8_t key[2][ID_LEN])
{
	return pending_add(&f->table, client, client == bob ? alice : bob,
		source, 2000, 0, key, f->lost);
}

/* One of many sources: 10.0.x.x, or the given /64 of a /48 that ends in `site`.
 */
static struct source v4(unsigned number)
{
	struct sockaddr_in from = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(0x0a000000U + number)};
	struct sockaddr_storage any = {0};
	struct source source;

	memcpy(&any, &from, sizeof(from));
	source_read(&any, &source);
	return source;
}

static struct source v6(uint8_t site, unsigned subnet)
{
	struct sockaddr_in6 from = {.sin6_family = AF_INET6,
		.sin6_addr.s6_addr = {0x20, 1, 0xd, 0xb8, 0, site,
			(uint8_t)(subnet >> 8), (uint8_t)subnet, 1}};
	struct sockaddr_storage any = {0};
	struct source source;

	memcpy(&any, &from, sizeof(from));
	source_read(&any, &source);
	return source;
}

/* The requester's ID differs each time. */
static enum pending_room add_from(
	struct fixture *f, struct source source, uint8_t key[2][ID_LEN])
{
	static uint32_t number;
	uint8_t client[ID_LEN] = {'x'};

	number++;
	memcpy(client + 1, &number, sizeof(number));
	return add(f, client, &source, key);
}

static int set_up(void **state)
{
	static struct fixture fixture;

	memset(&fixture, 0, sizeof(fixture));
	*state = &fixture;
	return id_hash_init() || pending_init(&fixture.table) ||
	       pending_add(&fixture.table, alice, bob, &nowhere, 1000, 0,
		       fixture.key, fixture.lost) != PENDING_ROOM;
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
	uint8_t target[ID_LEN];

	assert_int_equal(claim(f, SIDE_CLIENT, here, 0), PENDING_FIRST);
	assert_true(pending_abandon(&f->table, f->other, 0, target));
	assert_memory_equal(target, bob, ID_LEN);
	assert_int_equal(pending_keys(&f->table), 0);
	assert_int_equal(claim(f, SIDE_SERVER, there, 0), PENDING_UNKNOWN);
	assert_false(pending_abandon(&f->table, f->other, 0, target));
}

static void a_lost_invitation_takes_the_session_along(void **state)
{
	struct fixture *f = *state;
	struct place half;

	assert_int_equal(claim(f, SIDE_CLIENT, here, 0), PENDING_FIRST);
	half = pending_lose(&f->table, f->key[SIDE_SERVER], 0);
	assert_int_equal(half.worker, here.worker);
	assert_int_equal(half.conn, here.conn);
	assert_int_equal(pending_keys(&f->table), 0);
	half = pending_lose(&f->table, f->key[SIDE_SERVER], 0);
	assert_int_equal(half.conn, 0);
}

/* Whoever requested them; more than fit into one call. */
static void a_device_is_invited_to_nothing_any_more(void **state)
{
	struct fixture *f = *state;
	struct place lost[PENDING_WITHDRAW_MOST];
	uint8_t other[2][ID_LEN];

	assert_int_equal(claim(f, SIDE_CLIENT, here, 0), PENDING_FIRST);
	for (unsigned i = 0; i < PENDING_WITHDRAW_MOST; i++)
		assert_int_equal(add_from(f, v4(i << 8), other), PENDING_ROOM);
	assert_int_equal(pending_withdraw(&f->table, alice, 0, lost), 1);
	assert_int_equal(lost[0].conn, here.conn);
	assert_int_equal(add(f, bob, &nowhere, other), PENDING_ROOM);
	assert_int_equal(pending_withdraw(&f->table, bob, 0, lost),
		PENDING_WITHDRAW_MOST);
	assert_int_equal(pending_withdraw(&f->table, bob, 0, lost), 1);
	assert_int_equal(lost[0].conn, 0);
	assert_int_equal(claim(f, SIDE_SERVER, there, 0), PENDING_UNKNOWN);
	assert_int_equal(pending_keys(&f->table), 0);
}

/* Requested by it and for it; not those of others. */
static void only_its_own_sessions_are_withdrawn(void **state)
{
	struct fixture *f = *state;
	struct place lost[PENDING_WITHDRAW_MOST];
	uint8_t second[2][ID_LEN], other[2][ID_LEN];

	assert_int_equal(add(f, alice, &nowhere, second), PENDING_ROOM);
	assert_int_equal(add(f, alice, &nowhere, other), PENDING_ROOM);
	assert_int_equal(add(f, bob, &nowhere, other), PENDING_ROOM);
	assert_int_equal(add_from(f, v4(1), other), PENDING_ROOM);
	/* One of those in between has gone before. */
	(void)pending_lose(&f->table, second[SIDE_SERVER], 0);
	assert_int_equal(pending_sessions(&f->table), 4);
	assert_int_equal(pending_withdraw(&f->table, alice, 0, lost), 3);
	assert_int_equal(pending_withdraw(&f->table, alice, 0, lost), 0);
	assert_int_equal(pending_sessions(&f->table), 1);
	assert_int_equal(pending_keys(&f->table), 2);
	assert_int_equal(pending_withdraw(&f->table, bob, 0, lost), 1);
	assert_int_equal(pending_sessions(&f->table), 0);
}

static void before_its_requester_has_come_nobody_waits(void **state)
{
	struct fixture *f = *state;
	struct place half = pending_lose(&f->table, f->key[SIDE_SERVER], 0);

	assert_int_equal(half.conn, 0);
	assert_int_equal(claim(f, SIDE_CLIENT, here, 0), PENDING_UNKNOWN);
}

static void expiry_forgets_the_old_and_keeps_the_new(void **state)
{
	struct fixture *f = *state;
	uint8_t later[2][ID_LEN];

	assert_int_equal(add(f, bob, &nowhere, later), PENDING_ROOM);
	assert_int_equal(pending_expire(&f->table, 999, &f->next_ms), 0);
	assert_int_equal(f->next_ms, 1000);
	assert_int_equal(pending_expire(&f->table, 1000, &f->next_ms), 1);
	assert_int_equal(f->next_ms, 2000);
	assert_int_equal(pending_keys(&f->table), 2);
	assert_int_equal(pending_expire(&f->table, 9999, &f->next_ms), 1);
	assert_true(f->next_ms == INT64_MAX);
}

static void bound(
	struct fixture *f, int64_t all, int64_t of_device, int64_t of_source)
{
	const struct pending_bounds bounds = {all, of_device, of_source, 0, 0};

	pending_bound(&f->table, &bounds);
}

static void the_table_has_a_bound(void **state)
{
	struct fixture *f = *state;
	uint8_t key[2][ID_LEN];

	bound(f, 1000, 0, 0);
	for (int i = 1; i < 1000; i++)
		assert_int_equal(add(f, alice, &nowhere, key), PENDING_ROOM);
	/* All sources are exempt, so no session can be dropped to make room. */
	assert_int_equal(add(f, alice, &nowhere, key), PENDING_FULL);
	for (unsigned left = 1000; left;)
		left -= pending_expire(&f->table, 2000, &f->next_ms);
	assert_int_equal(add(f, alice, &nowhere, key), PENDING_ROOM);
}

static void a_device_has_a_bound_of_its_own(void **state)
{
	struct fixture *f = *state;
	uint8_t key[2][ID_LEN];

	bound(f, 0, 3, 0);
	for (int i = 1; i < 3; i++) /* set_up() has added the first one */
		assert_int_equal(add(f, alice, &nowhere, key), PENDING_ROOM);
	assert_int_equal(add(f, alice, &nowhere, key), PENDING_DEVICE_FULL);
	/* Requests for a device do not count towards its own limit. */
	assert_int_equal(add(f, bob, &nowhere, key), PENDING_ROOM);
	assert_int_equal(pending_expire(&f->table, 1000, &f->next_ms), 1);
	assert_int_equal(add(f, alice, &nowhere, key), PENDING_ROOM);
	assert_int_equal(add(f, alice, &nowhere, key), PENDING_DEVICE_FULL);
}

static bool works(struct fixture *f, uint8_t key[2][ID_LEN])
{
	return pending_claim(&f->table, key[SIDE_CLIENT], here, 0, f->other,
		       &f->deadline_ms, &f->pair) != PENDING_UNKNOWN;
}

static void a_source_gives_up_its_own_oldest(void **state)
{
	struct fixture *f = *state;
	uint8_t key[5][2][ID_LEN], other[2][ID_LEN];

	bound(f, 0, 0, 4);
	assert_int_equal(add_from(f, v4(2), other), PENDING_ROOM);
	for (int i = 0; i < 4; i++)
		assert_int_equal(add_from(f, v4(1), key[i]), PENDING_ROOM);
	assert_int_equal(add_from(f, v4(1), key[4]), PENDING_SOURCE_ROOM);
	assert_int_equal(f->lost[1].conn, 0);
	assert_false(works(f, key[0]));
	for (int i = 1; i < 5; i++)
		assert_true(works(f, key[i]));
	assert_true(works(f, other));
	assert_true(works(f, f->key));
	/* The waiting half of a dropped session is returned. */
	assert_int_equal(add_from(f, v4(1), other), PENDING_SOURCE_ROOM);
	assert_int_equal(f->lost[1].conn, here.conn);
}

static void a_home_of_many_networks_is_one_source(void **state)
{
	struct fixture *f = *state;
	uint8_t key[2][ID_LEN];

	bound(f, 0, 0, 10);
	for (unsigned i = 0; i < 10; i++) /* one /56 */
		assert_int_equal(add_from(f, v6(1, i), key), PENDING_ROOM);
	assert_int_equal(add_from(f, v6(1, 77), key), PENDING_SOURCE_ROOM);
	for (unsigned i = 0; i < 10; i++) /* one /48 */
		assert_int_equal(add_from(f, v6(2, i << 8), key), PENDING_ROOM);
	assert_int_equal(add_from(f, v6(2, 0x7700), key), PENDING_SOURCE_ROOM);
	assert_int_equal(add_from(f, v6(3, 0), key), PENDING_ROOM);
}

static void a_newcomer_finds_room_at_the_expense_of_who_has_most(void **state)
{
	struct fixture *f = *state;
	uint8_t good[2][ID_LEN], first[2][ID_LEN], key[2][ID_LEN];

	bound(f, 100, 0, 0);
	assert_int_equal(add_from(f, v4(9), good), PENDING_ROOM);
	assert_int_equal(add_from(f, v4(1), first), PENDING_ROOM);
	for (unsigned i = 0; i < 57; i++)
		assert_int_equal(add_from(f, v4(1), key), PENDING_ROOM);
	for (unsigned i = 0; i < 40; i++)
		assert_int_equal(add_from(f, v4(2), key), PENDING_ROOM);
	assert_int_equal(add_from(f, v4(10), key), PENDING_MADE_ROOM);
	assert_false(works(f, first));
	assert_true(works(f, key));
	/* Further requests of those two do not matter. */
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(
			add_from(f, v4(1 + i % 2), key), PENDING_MADE_ROOM);
	assert_true(works(f, good));
	assert_true(works(f, f->key));
	assert_int_equal(pending_sessions(&f->table), 100);
}

static void a_site_does_not_crowd_out_its_quiet_networks(void **state)
{
	struct fixture *f = *state;
	uint8_t good[2][ID_LEN], key[2][ID_LEN];

	bound(f, 50, 0, 0);
	assert_int_equal(add_from(f, v6(1, 1), good), PENDING_ROOM);
	for (unsigned i = 0; i < 48; i++)
		assert_int_equal(add_from(f, v6(1, 2), key), PENDING_ROOM);
	for (unsigned i = 0; i < 40; i++)
		assert_int_equal(
			add_from(f, v6(1, 10 + i), key), PENDING_MADE_ROOM);
	assert_true(works(f, good));
}

/* Each asks for another target; no line is full. */
static enum pending_room ask_elsewhere(struct fixture *f, const uint8_t *client,
	const struct source *source, uint8_t number)
{
	uint8_t key[2][ID_LEN], target[ID_LEN] = {'t', number};

	return pending_add(
		&f->table, client, target, source, 2000, 0, key, f->lost);
}

static void a_refused_request_takes_nobodys_place(void **state)
{
	static const uint8_t mallory[ID_LEN] = {'m'};
	const struct pending_bounds bounds = {0, 3, 0, 0, 4};
	const struct source source = v4(9);
	struct fixture *f = *state;
	uint8_t others[3][2][ID_LEN], key[2][ID_LEN];

	pending_bound(&f->table, &bounds);
	/* With set_up()'s one that makes a full line. */
	for (int i = 0; i < 3; i++)
		assert_int_equal(add_from(f, v4(1), others[i]), PENDING_ROOM);
	for (uint8_t i = 0; i < 3; i++)
		assert_int_equal(
			ask_elsewhere(f, mallory, &source, i), PENDING_ROOM);
	assert_int_equal(add(f, mallory, &source, key), PENDING_DEVICE_FULL);
	assert_int_equal(pending_sessions(&f->table), 7);
	for (int i = 0; i < 3; i++)
		assert_true(works(f, others[i]));
	assert_true(works(f, f->key));
}

static void one_that_leaves_a_line_leaves_room_everywhere(void **state)
{
	static const uint8_t carol[ID_LEN] = {'c'};
	const struct pending_bounds bounds = {3, 2, 2, 1, 0};
	const struct source source = v4(9);
	struct fixture *f = *state;
	uint8_t first[2][ID_LEN], second[2][ID_LEN];

	assert_int_equal(add(f, carol, &source, first), PENDING_ROOM);
	assert_int_equal(ask_elsewhere(f, carol, &source, 1), PENDING_ROOM);
	pending_bound(&f->table, &bounds);
	assert_int_equal(add(f, carol, &source, second), PENDING_QUEUE_ROOM);
	assert_int_equal(pending_sessions(&f->table), 3);
	assert_false(works(f, first));
	assert_true(works(f, second));
	assert_true(works(f, f->key));
}

/* Whichever allocation fails, the table is as before, and works. */
static void without_memory_nothing_is_added(void **state)
{
	struct fixture *f = *state;
	const struct source source = v4(1);
	uint8_t key[2][ID_LEN];
	int failures = 0;

	for (bool failed = true; failed; failures++) {
		pending_finish(&f->table);
		assert_int_equal(pending_init(&f->table), 0);
		allocations = 0;
		fails_at = failures + 1;
		failed = add(f, alice, &source, key) != PENDING_ROOM;
		fails_at = 0;
		if (failed) {
			assert_null(f->table.first);
			assert_null(f->table.keys);
			assert_int_equal(f->table.limits.sessions, 0);
		}
		assert_int_equal(add(f, alice, &source, key), PENDING_ROOM);
	}
	assert_true(failures > 3);
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
		TEST(a_lost_invitation_takes_the_session_along),
		TEST(a_device_is_invited_to_nothing_any_more),
		TEST(only_its_own_sessions_are_withdrawn),
		TEST(before_its_requester_has_come_nobody_waits),
		TEST(expiry_forgets_the_old_and_keeps_the_new),
		TEST(the_table_has_a_bound),
		TEST(a_device_has_a_bound_of_its_own),
		TEST(a_source_gives_up_its_own_oldest),
		TEST(a_home_of_many_networks_is_one_source),
		TEST(a_newcomer_finds_room_at_the_expense_of_who_has_most),
		TEST(a_site_does_not_crowd_out_its_quiet_networks),
		TEST(a_refused_request_takes_nobodys_place),
		TEST(one_that_leaves_a_line_leaves_room_everywhere),
		TEST(without_memory_nothing_is_added),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
