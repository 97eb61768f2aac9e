/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of how much a lingering connection may owe, and for how long; and of
 * which one is evicted for another. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "net/kernel_memory.h"
#include "net/memory_by_source.h"
#include "net/socket_memory.h"
#include "net/stalled_sizes.h"
#include "peers/conn_state.h"
#include "peers/linger_records.h"
#include "peers/peer_metrics.h"
#include "peers/peers_state.h"
#include "peers/socket_end.h"
#include "peers/stall.h"

#define SECOND 1000
#define MUCH   (4 << 20)

/* Seconds until a reader of so many bytes a second is cut, or has all. */
static int lasts(int rate)
{
	int64_t owed = MUCH;
	int seconds = 0;

	while (owed > 0 && owed <= linger_may_owe(MUCH, seconds * SECOND)) {
		owed -= rate;
		seconds++;
	}
	return owed > 0 ? -seconds : seconds;
}

static void nobody_takes_longer_than_20_minutes(void **state)
{
	(void)state;
	assert_in_range(lasts(3700), 1100, 1200);
	assert_in_range(-lasts(3400), 600, 1200);
	assert_in_range(-lasts(1024), 60, 120);
	assert_int_equal(linger_may_owe(INT32_MAX, 1200 * SECOND), 0);
	assert_int_equal(linger_may_owe(INT32_MAX, INT64_MAX / 2), 0);
}

static void in_the_first_minute_it_need_not_shrink(void **state)
{
	(void)state;
	assert_int_equal(linger_may_owe(MUCH, 0), MUCH);
	assert_int_equal(linger_may_owe(MUCH, 60 * SECOND), MUCH);
	assert_true(linger_may_owe(MUCH, 61 * SECOND) < MUCH);
}

static void a_reader_takes_a_kib_a_second_or_goes(void **state)
{
	struct linger_record one = {.first = MUCH, .owed = MUCH};

	(void)state;
	assert_true(linger_record_takes(&one, MUCH - LINGER_PROGRESS, 3000));
	assert_false(linger_record_takes(
		&one, MUCH - 2 * LINGER_PROGRESS + 1, 6000));
	assert_true(
		linger_record_takes(&one, MUCH - 4 * LINGER_PROGRESS, 9000));
	assert_false(linger_record_takes(&one, 0, 12000));
}

/* What it must have taken after the first minute is a part of the most. */
static void it_is_measured_by_the_most_that_it_has_owed(void **state)
{
	const int64_t half_ms = LINGER_GRACE_MS + LINGER_DRAIN_MS / 2;
	struct linger_record one = {.first = MUCH / 4, .owed = MUCH / 4};

	(void)state;
	assert_false(linger_record_takes(&one, MUCH, 3000)); /* more came */
	assert_true(linger_record_takes(&one, MUCH / 2 + 9999, 6000));
	assert_true(linger_record_takes(&one, MUCH / 2, half_ms));
	assert_false(linger_record_takes(
		&one, MUCH / 2 - LINGER_PROGRESS, half_ms + SECOND * 60));
}

/* The numbers that decide are members of a connection here: the descriptor is
 * what it holds, and its address has what its source has. */
enum { PLACES, BYTES };

void socket_memory_used(int fd, size_t *received, size_t *unsent)
{
	*received = 0;
	*unsent = (size_t)fd;
}

unsigned linger_places_held(const struct linger_places *places,
	const uint8_t *address, bool session)
{
	(void)places;
	(void)session;
	return address[PLACES];
}

int64_t memory_source_held(const uint8_t *address)
{
	return address[BYTES];
}

int socket_owes(int fd)
{
	return fd;
}

bool stall_conn_gives_way(const struct relay_conn *conn, size_t held)
{
	(void)conn;
	(void)held;
	return false;
}

void linger_places_change(struct linger_places *places, const uint8_t *address,
	bool session, int by)
{
	(void)places;
	(void)address;
	(void)session;
	(void)by;
}

static int64_t lingering; /* the gauge */

void peer_count(struct metrics_shard *shard, enum peer_metric which,
	unsigned value, int64_t by)
{
	(void)shard;
	if (which != PEER_LINGERING)
		return;
	assert_int_equal(value, 0);
	lingering += by;
}

void kernel_memory_change(int64_t by)
{
	(void)by;
}

void memory_source_change(const uint8_t *address, int64_t by)
{
	(void)address;
	(void)by;
}

void stalled_sizes_change(size_t before, size_t now)
{
	(void)before;
	(void)now;
}

static struct peers peers;
static struct relay_conn conns[LINGER_MOST], newcomer;

static struct relay_conn *linger(
	unsigned i, bool session, uint8_t places, uint8_t bytes, int held)
{
	struct relay_conn *conn = &conns[i];

	*conn = (struct relay_conn){.worker = &peers.worker, .fd = held};
	conn->addr[PLACES] = places;
	conn->addr[BYTES] = bytes;
	assert_int_equal(linger_record_add(conn, session), 0);
	return conn;
}

/* Who goes for a newcomer; NULL: nobody, and it may not linger. */
static const struct relay_conn *evicted(bool for_session)
{
	struct relay_conn *instead;
	bool may = linger_has_place(&newcomer, for_session, &instead);

	assert_int_equal(may, instead != NULL);
	return instead;
}

static int set_up(void **state)
{
	(void)state;
	peers = (struct peers){.stopping = false};
	newcomer = (struct relay_conn){.worker = &peers.worker};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	while (peers.lingering_list)
		linger_record_remove(peers.lingering_list->conn);
	return lingering ? -1 : (int)peers.lingering_count;
}

/* All places but the first few are taken by strangers that hold one byte. */
static void fill_from(unsigned first)
{
	for (unsigned i = first; i < LINGER_MOST; i++)
		linger(i, false, 1, 1, 1);
}

static void while_there_are_places_nobody_goes(void **state)
{
	struct relay_conn *instead = &newcomer;

	(void)state;
	fill_from(1);
	assert_true(linger_has_place(&newcomer, false, &instead));
	assert_null(instead);
	linger(0, false, 1, 1, 1);
	assert_ptr_equal(evicted(false), &conns[1]); /* the oldest */
	peers.stopping = true;
	assert_true(linger_has_place(&newcomer, false, &instead));
	assert_null(instead);
}

static void a_source_has_its_part_only(void **state)
{
	struct relay_conn *instead;

	(void)state;
	newcomer.addr[PLACES] = LINGER_MOST / LINGER_SOURCE_PART;
	assert_false(linger_has_place(&newcomer, true, &instead));
	assert_null(instead);
	newcomer.addr[PLACES]--;
	assert_true(linger_has_place(&newcomer, true, &instead));
}

static void what_a_session_has_left_goes_last(void **state)
{
	(void)state;
	linger(0, true, 9, 9, 9);
	fill_from(1);
	assert_ptr_equal(evicted(true), &conns[1]);
	assert_ptr_equal(evicted(false), &conns[1]);
	tear_down(state);
	linger(0, false, 0, 0, 0);
	for (unsigned i = 1; i < LINGER_MOST; i++)
		linger(i, true, 9, 9, 9);
	assert_ptr_equal(evicted(true), &conns[0]);
}

static void it_goes_for_another_session_only(void **state)
{
	(void)state;
	for (unsigned i = 0; i < LINGER_MOST; i++)
		linger(i, true, 1, 1, 1);
	assert_null(evicted(false));
	assert_ptr_equal(evicted(true), &conns[0]);
}

static void who_has_most_goes_first(void **state)
{
	const struct relay_conn *holds, *source, *places;

	(void)state;
	for (unsigned i = 3; i < LINGER_MOST; i++)
		linger(i, true, 1, 1, 1);
	holds = linger(0, true, 1, 1, 9);
	source = linger(1, true, 1, 2, 1);
	places = linger(2, true, 2, 1, 1);
	assert_ptr_equal(evicted(true), places);
	linger_record_remove(&conns[2]);
	linger(2, true, 1, 1, 1);
	assert_ptr_equal(evicted(true), source);
	linger_record_remove(&conns[1]);
	linger(1, true, 1, 1, 1);
	assert_ptr_equal(evicted(true), holds);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_takes_longer_than_20_minutes),
		cmocka_unit_test(in_the_first_minute_it_need_not_shrink),
		cmocka_unit_test(a_reader_takes_a_kib_a_second_or_goes),
		cmocka_unit_test(it_is_measured_by_the_most_that_it_has_owed),
		TEST(while_there_are_places_nobody_goes),
		TEST(a_source_has_its_part_only),
		TEST(what_a_session_has_left_goes_last),
		TEST(it_goes_for_another_session_only),
		TEST(who_has_most_goes_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
