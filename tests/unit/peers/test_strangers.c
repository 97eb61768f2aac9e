/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of strangers: which one is closed to make room, and which one is next.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "peers/conn_state.h"
#include "peers/peer_metrics.h"
#include "peers/stranger_queue.h"
#include "peers/strangers.h"
#include "peers/strangers_state.h"
#include "tls/tls_random.h"

static struct strangers all;
static struct worker worker;

void peer_count(struct metrics_shard *shard, enum peer_metric which,
	unsigned value, int64_t by)
{
	(void)shard;
	(void)which;
	(void)value;
	(void)by;
}

int tls_random_fill(unsigned char *out, size_t len)
{
	memset(out, 7, len);
	return 0;
}

static struct relay_conn *enter(const char *address)
{
	struct relay_conn *conn = calloc(1, sizeof(*conn));

	assert_non_null(conn);
	conn->worker = &worker;
	if (inet_pton(AF_INET6, address, conn->addr) != 1) {
		conn->addr[10] = conn->addr[11] = 0xff;
		assert_int_equal(
			inet_pton(AF_INET, address, conn->addr + 12), 1);
	}
	assert_int_equal(strangers_enter(&all, conn), 0);
	return conn;
}

static void leave(struct relay_conn *conn)
{
	strangers_leave(&all, conn, false, 0);
	free(conn);
}

static int set_up(void **state)
{
	(void)state;
	return strangers_init(&all, 0);
}

/* When all have left, nothing is allocated. */
static int tear_down(void **state)
{
	struct relay_conn *conn;

	(void)state;
	while ((conn = strangers_least(&all, NULL)) != NULL)
		leave(conn);
	assert_int_equal(all.count, 0);
	assert_int_equal(all.sources, 0);
	assert_int_equal(all.waiting, 0);
	assert_int_equal(atomic_load(&all.most), 0);
	strangers_finish(&all);
	return 0;
}

static void the_source_that_has_most_makes_room(void **state)
{
	struct relay_conn *first = enter("192.0.2.1"), *second, *third;

	(void)state;
	second = enter("192.0.2.2");
	third = enter("192.0.2.2");
	assert_ptr_equal(strangers_least(&all, NULL), second);
	assert_ptr_equal(strangers_least(&all, second), third);
	leave(second);
	assert_ptr_equal(strangers_least(&all, NULL), first);
	assert_ptr_equal(strangers_least(&all, third), first);
}

static void nobody_makes_room_for_himself(void **state)
{
	struct relay_conn *only = enter("192.0.2.1");

	(void)state;
	assert_null(strangers_least(&all, only));
}

static void who_has_said_least_goes_first(void **state)
{
	struct relay_conn *taken = enter("192.0.2.1"), *shaking, *silent;

	(void)state;
	taken->phase = CONN_TAKEN;
	shaking = enter("192.0.2.1");
	shaking->phase = CONN_HANDSHAKE;
	silent = enter("192.0.2.1");
	assert_ptr_equal(strangers_least(&all, NULL), silent);
	assert_ptr_equal(strangers_least(&all, silent), shaking);
	leave(silent);
	leave(shaking);
	assert_ptr_equal(strangers_least(&all, NULL), taken);
}

static void networks_of_a_site_count_together(void **state)
{
	char address[INET6_ADDRSTRLEN];

	(void)state;
	for (int i = 0; i < 3; i++)
		(void)enter("192.0.2.1");
	for (int i = 0; i < 2; i++)
		(void)enter("2001:db8:1:100::1");
	for (int i = 0; i < 2; i++) {
		snprintf(address, sizeof(address), "2001:db8:1:2%02x::1", i);
		(void)enter(address);
	}
	/* The /48 has four; its two /56 have two each, of which the first is
	 * older. */
	assert_int_equal(strangers_least(&all, NULL)->addr[6], 0x01);
	(void)enter("2001:db8:1:2ff::1");
	assert_int_equal(strangers_least(&all, NULL)->addr[6], 0x02);
}

static void settled_ones_are_none(void **state)
{
	struct relay_conn *conn = enter("192.0.2.1");

	(void)state;
	strangers_settle(&all, conn, 0);
	assert_null(strangers_least(&all, NULL));
	strangers_leave(&all, conn, true, 0);
	free(conn);
}

static void wait_for_turn(const char *address)
{
	stranger_queue_add(&all, enter(address), STRANGER_FRESH, 0);
}

static int next_host(void)
{
	const struct relay_conn *conn = stranger_queue_next(&all, 0);

	assert_non_null(conn);
	assert_false(stranger_queue_has(conn));
	return conn->addr[15];
}

static void sources_take_turns(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++)
		wait_for_turn("192.0.2.1");
	wait_for_turn("192.0.2.2");
	wait_for_turn("192.0.2.3");
	assert_int_equal(next_host(), 1);
	assert_int_equal(next_host(), 2);
	assert_int_equal(next_host(), 3);
	for (int i = 0; i < 99; i++)
		assert_int_equal(next_host(), 1);
	assert_null(stranger_queue_next(&all, 0));
}

static void a_site_has_one_turn(void **state)
{
	char address[INET6_ADDRSTRLEN];

	(void)state;
	for (int i = 0; i < 500; i++) {
		snprintf(address, sizeof(address), "2001:db8:1:%x::1", i);
		wait_for_turn(address);
	}
	wait_for_turn("192.0.2.2");
	wait_for_turn("192.0.2.2");
	assert_int_equal(next_host(), 1);
	assert_int_equal(next_host(), 2);
	assert_int_equal(next_host(), 1);
	assert_int_equal(next_host(), 2);
	for (int i = 0; i < 498; i++)
		assert_int_equal(next_host(), 1);
}

static void in_a_crowd_the_newest_is_first(void **state)
{
	struct relay_conn *last = NULL;

	(void)state;
	for (int i = 0; i < 65; i++) {
		last = enter("192.0.2.1");
		stranger_queue_add(&all, last, STRANGER_FRESH, 0);
	}
	assert_ptr_equal(stranger_queue_next(&all, 0), last);
	assert_ptr_not_equal(stranger_queue_next(&all, 0), last);
}

static void what_was_begun_and_what_is_new_take_turns(void **state)
{
	struct relay_conn *begun = enter("192.0.2.1"), *fresh;

	(void)state;
	fresh = enter("192.0.2.1");
	stranger_queue_add(&all, fresh, STRANGER_FRESH, 0);
	wait_for_turn("192.0.2.1");
	stranger_queue_add(&all, begun, STRANGER_BEGUN, 0);
	assert_ptr_equal(stranger_queue_next(&all, 0), fresh);
	assert_ptr_equal(stranger_queue_next(&all, 0), begun);
}

static void suspects_have_one_turn_in_four(void **state)
{
	int bad = 0;

	(void)state;
	for (int i = 0; i < 100; i++) {
		struct relay_conn *conn = enter("192.0.2.1");

		strangers_leave(&all, conn, true, 0);
		free(conn);
	}
	for (int i = 0; i < 100; i++) {
		wait_for_turn("192.0.2.1");
		wait_for_turn("192.0.2.2");
	}
	for (int i = 0; i < 100; i++)
		bad += next_host() == 1;
	assert_int_equal(bad, 25);
}

static void who_ends_waits_no_more(void **state)
{
	struct relay_conn *conn = enter("2001:db8::1");

	(void)state;
	stranger_queue_add(&all, conn, STRANGER_BEGUN, 0);
	assert_true(stranger_queue_has(conn));
	leave(conn);
	assert_null(stranger_queue_next(&all, 0));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_source_that_has_most_makes_room),
		TEST(nobody_makes_room_for_himself),
		TEST(who_has_said_least_goes_first),
		TEST(networks_of_a_site_count_together),
		TEST(settled_ones_are_none),
		TEST(sources_take_turns),
		TEST(a_site_has_one_turn),
		TEST(in_a_crowd_the_newest_is_first),
		TEST(what_was_begun_and_what_is_new_take_turns),
		TEST(suspects_have_one_turn_in_four),
		TEST(who_ends_waits_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
