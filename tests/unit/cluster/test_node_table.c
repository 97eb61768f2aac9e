/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the table of nodes: who counts as live, what old messages can do,
 * and its bounds. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cluster/nodes/node_table.h"
#include "nodes_scene.h"

static void a_broadcast_alone_does_not_make_a_node_live(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(lease(scene, 7, 1, 0), NODE_NEW);
	assert_false(nodes_live(&scene->table, 7, scene->now_ms));
	assert_true(nodes_may_live(&scene->table, 7, scene->now_ms));
	for (uint64_t counter = 2; counter < 10; counter++) {
		scene->now_ms += NODES_HELLO_MS;
		assert_int_equal(lease(scene, 7, counter, 0), NODE_NEW);
		assert_false(nodes_live(&scene->table, 7, scene->now_ms));
	}
}

static void an_answer_to_hello_does(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(lease(scene, 7, 1, 0), NODE_NEW);
	nodes_asked(&scene->table, 7, 40, scene->now_ms);
	assert_int_equal(lease(scene, 7, 2, 40), NODE_CONFIRMED);
	assert_true(nodes_live(&scene->table, 7, scene->now_ms));
	assert_int_equal(lease(scene, 7, 3, 0), NODE_KNOWN);
	scene->now_ms += LEASE_MS - 1;
	assert_true(nodes_live(&scene->table, 7, scene->now_ms));
	scene->now_ms += 1;
	assert_false(nodes_live(&scene->table, 7, scene->now_ms));
	assert_false(nodes_may_live(&scene->table, 7, scene->now_ms));
}

/* An answer to the first HELLO may come after the second one was sent. */
static void each_hello_that_is_under_way_can_be_answered(void **state)
{
	struct scene *scene = *state;

	lease(scene, 7, 1, 0);
	nodes_asked(&scene->table, 7, 40, scene->now_ms);
	nodes_asked(&scene->table, 7, 44, scene->now_ms);
	nodes_asked(&scene->table, 7, 0, scene->now_ms);
	assert_int_not_equal(lease(scene, 7, 2, 39), NODE_CONFIRMED);
	assert_int_not_equal(lease(scene, 7, 3, 45), NODE_CONFIRMED);
	assert_int_equal(lease(scene, 7, 4, 40), NODE_CONFIRMED);
}

/* No node sends that: a broadcast, an answer to nothing, and another message
 * with the same bytes. */
static void other_answers_do_not_confirm(void **state)
{
	struct scene *scene = *state;
	struct message in = {.type = MESSAGE_LEASE,
		.from = 7,
		.to = SELF,
		.counter = 1,
		.lease = scene->facts};

	assert_int_equal(
		nodes_heard(&scene->table, &in, scene->now_ms), NODE_NEW);
	nodes_asked(&scene->table, 7, 40, scene->now_ms);
	in.lease.answers = 40;
	in.counter = 2;
	in.to = 0;
	assert_int_equal(
		nodes_heard(&scene->table, &in, scene->now_ms), NODE_UNPROVEN);
	in.counter = 3;
	in.to = SELF;
	in.type = MESSAGE_ASK;
	assert_int_equal(
		nodes_heard(&scene->table, &in, scene->now_ms), NODE_UNPROVEN);
	in.counter = 4;
	in.type = MESSAGE_LEASE;
	assert_int_equal(
		nodes_heard(&scene->table, &in, scene->now_ms), NODE_CONFIRMED);
}

static void a_node_is_asked_at_once_when_the_clock_has_just_begun(void **state)
{
	struct scene *scene = *state;

	scene->now_ms = 5;
	assert_int_equal(lease(scene, 7, 1, 0), NODE_NEW);
	nodes_asked(&scene->table, 7, 40, scene->now_ms);
	assert_int_equal(lease(scene, 7, 2, 0), NODE_UNPROVEN);
}

static void a_node_is_asked_again_but_not_at_once(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(lease(scene, 7, 1, 0), NODE_NEW);
	/* It could not be sent. */
	nodes_asked(&scene->table, 7, 0, scene->now_ms);
	assert_int_equal(lease(scene, 7, 2, 0), NODE_NEW);
	nodes_asked(&scene->table, 7, 40, scene->now_ms);
	assert_int_equal(lease(scene, 7, 3, 0), NODE_UNPROVEN);
	scene->now_ms += NODES_HELLO_MS - 1;
	assert_int_equal(lease(scene, 7, 4, 0), NODE_UNPROVEN);
	scene->now_ms += 1;
	assert_int_equal(lease(scene, 7, 5, 0), NODE_NEW);
	/* One that is not in the table is not added. */
	nodes_asked(&scene->table, 8, 41, scene->now_ms);
	assert_null(nodes_find(&scene->table, 8));
}

static void other_messages_do_not_confirm(void **state)
{
	static const enum message_type types[] = {MESSAGE_HELLO, MESSAGE_ASK,
		MESSAGE_ANSWER, MESSAGE_CLAIMED, MESSAGE_ALIVE};
	struct scene *scene = *state;

	for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		assert_int_equal(say(scene, types[i], 7, i + 1), NODE_NEW);
		assert_false(nodes_live(&scene->table, 7, scene->now_ms));
	}
	nodes_asked(&scene->table, 7, 40, scene->now_ms);
	for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		assert_int_equal(
			say(scene, types[i], 7, i + 10), NODE_UNPROVEN);
	assert_int_equal(lease(scene, 7, 20, 40), NODE_CONFIRMED);
	for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		assert_int_equal(say(scene, types[i], 7, i + 30), NODE_KNOWN);
}

static void what_was_seen_is_replayed(void **state)
{
	struct scene *scene = *state;

	lease(scene, 7, 1000, 0);
	assert_int_equal(lease(scene, 7, 1000, 0), NODE_REPLAYED);
	confirm(scene, 7, 1001);
	assert_int_equal(say(scene, MESSAGE_ASK, 7, 1001), NODE_REPLAYED);
	assert_int_equal(say(scene, MESSAGE_ASK, 7, 1004), NODE_KNOWN);
	assert_int_equal(say(scene, MESSAGE_ASK, 7, 1003), NODE_KNOWN);
	assert_int_equal(say(scene, MESSAGE_ASK, 7, 1003), NODE_REPLAYED);
	assert_int_equal(say(scene, MESSAGE_ASK, 7, 700), NODE_REPLAYED);
}

/* Everything that a dead node has ever sent is played again, in order and in
 * full, after the table has forgotten it. */
static void a_dead_node_is_not_revived_by_its_messages(void **state)
{
	struct scene *scene = *state;
	bool asked = false;

	lease(scene, 7, 1, 0);
	nodes_asked(&scene->table, 7, 40, scene->now_ms);
	assert_int_equal(lease(scene, 7, 2, 40), NODE_CONFIRMED);
	assert_int_equal(lease(scene, 7, 3, 0), NODE_KNOWN);
	assert_int_equal(say(scene, MESSAGE_ASK, 7, 4), NODE_KNOWN);
	scene->now_ms += LEASE_MS;
	(void)expire(scene);
	assert_int_equal(scene->gone, 1);
	for (int round = 0; round < 5; round++) {
		/* In the first round it is remembered. */
		for (uint64_t counter = 1; counter <= 4; counter++) {
			enum node_news news =
				counter == 4 ? say(scene, MESSAGE_ASK, 7, 4)
					     : lease(scene, 7, counter,
						       counter == 2 ? 40 : 0);

			if (news == NODE_NEW) {
				nodes_asked(&scene->table, 7,
					100 + (uint64_t)round, scene->now_ms);
				asked = true;
			}
			assert_true(news == NODE_NEW || news == NODE_UNPROVEN ||
				    news == NODE_REPLAYED);
			assert_false(
				nodes_live(&scene->table, 7, scene->now_ms));
		}
		scene->now_ms += LEASE_MS + NODES_KEEP_MS;
		(void)expire(scene);
		assert_null(nodes_find(&scene->table, 7));
	}
	assert_true(asked);
	assert_int_equal(scene->gone, 1);
}

/* It did not run for a while: others have ignored it meanwhile. */
static void a_node_that_wakes_must_prove_it(void **state)
{
	struct scene *scene = *state;

	confirm(scene, 7, 1);
	scene->now_ms += LEASE_MS;
	(void)expire(scene);
	assert_int_equal(scene->gone, 1);
	assert_int_equal(say(scene, MESSAGE_ASK, 7, 12), NODE_NEW);
	/* With an answer to a HELLO of before, that was kept back. */
	assert_int_equal(lease(scene, 7, 13, scene->hello), NODE_NEW);
	nodes_asked(&scene->table, 7, ++scene->hello, scene->now_ms);
	assert_int_equal(lease(scene, 7, 14, scene->hello - 1), NODE_UNPROVEN);
	assert_int_equal(lease(scene, 7, 15, scene->hello), NODE_CONFIRMED);
	scene->now_ms += LEASE_MS;
	(void)expire(scene);
	assert_int_equal(scene->gone, 2);
}

/* This process did not run, and hears first what has come meanwhile. */
static void a_lease_that_comes_before_the_end_is_told_extends_it(void **state)
{
	struct scene *scene = *state;

	confirm(scene, 7, 1);
	scene->now_ms += 3 * LEASE_MS;
	assert_false(nodes_live(&scene->table, 7, scene->now_ms));
	assert_int_equal(lease(scene, 7, 12, 0), NODE_KNOWN);
	assert_true(nodes_live(&scene->table, 7, scene->now_ms));
	(void)expire(scene);
	assert_int_equal(scene->gone, 0);
}

static void changes_are_told(void **state)
{
	struct scene *scene = *state;
	struct node_facts *facts = &scene->facts;
	uint64_t counter = 10;

	confirm(scene, 7, 1);
	facts->state = NODE_DRAINING;
	assert_int_equal(lease(scene, 7, counter++, 0), NODE_CHANGED);
	assert_int_equal(lease(scene, 7, counter++, 0), NODE_KNOWN);
	facts->v4.address[3]++;
	assert_int_equal(lease(scene, 7, counter++, 0), NODE_CHANGED);
	facts->v4.address[4]++; /* no part of an IPv4 address */
	assert_int_equal(lease(scene, 7, counter++, 0), NODE_KNOWN);
	facts->v6.port++;
	assert_int_equal(lease(scene, 7, counter++, 0), NODE_CHANGED);
	facts->v6.len = 0;
	assert_int_equal(lease(scene, 7, counter++, 0), NODE_CHANGED);
	(void)snprintf(facts->name, sizeof(facts->name), "other");
	assert_int_equal(lease(scene, 7, counter++, 0), NODE_CHANGED);
	facts->sessions = 1000;
	facts->rate = facts->capacity = 1000;
	assert_int_equal(lease(scene, 7, counter++, 0), NODE_KNOWN);
	assert_int_equal(nodes_find(&scene->table, 7)->facts.sessions, 1000);
	assert_int_equal(nodes_find(&scene->table, 7)->version, 0x10);
}

/* One that is stored, or was on its way longer. */
static void an_overtaken_lease_changes_nothing(void **state)
{
	struct scene *scene = *state;

	confirm(scene, 7, 1);
	scene->facts.state = NODE_DRAINING;
	assert_int_equal(lease(scene, 7, 20, 0), NODE_CHANGED);
	scene->facts.state = NODE_OPEN;
	scene->now_ms += 5000;
	assert_int_equal(lease(scene, 7, 19, 0), NODE_KNOWN);
	assert_int_equal(
		nodes_find(&scene->table, 7)->facts.state, NODE_DRAINING);
	scene->now_ms += LEASE_MS - 5000;
	assert_false(nodes_live(&scene->table, 7, scene->now_ms));
}

static void a_lease_has_bounds(void **state)
{
	struct scene *scene = *state;

	confirm(scene, 7, 1);
	scene->facts.lease_ms = UINT32_MAX;
	lease(scene, 7, 12, 0);
	scene->facts.lease_ms = 0;
	confirm(scene, 8, 1);
	assert_true(nodes_live(
		&scene->table, 8, scene->now_ms + NODES_LEASE_LEAST_MS - 1));
	assert_false(nodes_live(
		&scene->table, 8, scene->now_ms + NODES_LEASE_LEAST_MS));
	assert_true(nodes_live(
		&scene->table, 7, scene->now_ms + NODES_LEASE_MOST_MS - 1));
	assert_false(nodes_live(
		&scene->table, 7, scene->now_ms + NODES_LEASE_MOST_MS));
}

static void goodbye_is_for_ever(void **state)
{
	struct scene *scene = *state;

	confirm(scene, 7, 1);
	assert_int_equal(say(scene, MESSAGE_GOODBYE, 7, 10), NODE_LEFT);
	assert_false(nodes_live(&scene->table, 7, scene->now_ms));
	(void)expire(scene);
	assert_int_equal(scene->gone, 1);
	assert_int_equal(say(scene, MESSAGE_GOODBYE, 7, 10), NODE_REPLAYED);
	/* What was overtaken by it, and what cannot be. */
	assert_int_equal(lease(scene, 7, 9, scene->hello), NODE_UNPROVEN);
	assert_int_equal(lease(scene, 7, 11, scene->hello), NODE_UNPROVEN);
	(void)expire(scene);
	assert_int_equal(scene->gone, 1);
	scene->now_ms += NODES_KEEP_MS;
	(void)expire(scene);
	assert_int_equal(scene->table.count, 0);
}

/* Nobody has relied on it, so nobody is told. */
static void goodbye_of_an_unproven_node(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(say(scene, MESSAGE_GOODBYE, 7, 1), NODE_UNPROVEN);
	assert_int_equal(scene->table.count, 0);
	lease(scene, 8, 1, 0);
	assert_int_equal(say(scene, MESSAGE_GOODBYE, 8, 2), NODE_LEFT);
	(void)expire(scene);
	assert_int_equal(scene->gone, 0);
}

static void the_next_call_is_due_when_something_ends(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(expire(scene), NODES_KEEP_MS);
	confirm(scene, 7, 1);
	assert_int_equal(expire(scene), LEASE_MS);
	scene->now_ms += 1000;
	confirm(scene, 8, 1);
	assert_int_equal(expire(scene), LEASE_MS - 1000);
	scene->now_ms += LEASE_MS - 1000;
	assert_int_equal(expire(scene), 1000);
	assert_int_equal(scene->gone, 1);
	scene->now_ms += 1000;
	assert_int_equal(expire(scene), NODES_KEEP_MS - 1000);
	assert_int_equal(scene->gone, 2);
	assert_int_equal(scene->table.count, 2);
	scene->now_ms += NODES_KEEP_MS - 1000;
	assert_int_equal(expire(scene), 1000);
	assert_int_equal(scene->table.count, 1);
	scene->now_ms += 1000;
	(void)expire(scene);
	assert_int_equal(scene->table.count, 0);
}

static void each_node_is_gone_once(void **state)
{
	struct scene *scene = *state;

	for (uint64_t i = 1; i <= NODES_MOST; i++)
		confirm(scene, i, 1);
	for (int i = 0; i < 200; i++) {
		scene->now_ms += 1000;
		/* The odd ones live on for a while. */
		for (uint64_t k = 1; i < 50 && k <= NODES_MOST; k += 2)
			lease(scene, k, 3 + (uint64_t)i, 0);
		(void)expire(scene);
		if (i == 40)
			assert_int_equal(scene->gone, NODES_MOST / 2);
	}
	assert_int_equal(scene->gone, NODES_MOST);
	for (uint64_t i = 1; i <= NODES_MOST; i++)
		assert_int_equal(scene->gone_of[i], 1);
	assert_int_equal(scene->table.count, 0);
}

static void there_is_room_for_so_many(void **state)
{
	struct scene *scene = *state;

	for (uint64_t i = 1; i <= NODES_MOST; i++)
		confirm(scene, i, 1);
	assert_int_equal(lease(scene, 999, 1, 0), NODE_NO_ROOM);
	scene->now_ms += LEASE_MS - 1;
	assert_int_equal(lease(scene, 999, 2, 0), NODE_NO_ROOM);
	assert_int_equal(lease(scene, 5, 12, 0), NODE_KNOWN);
	scene->now_ms += 1;
	/* Their end must be told before their places are given away. */
	assert_int_equal(lease(scene, 999, 3, 0), NODE_NO_ROOM);
	(void)expire(scene);
	assert_int_equal(scene->gone, NODES_MOST - 1);
	assert_int_equal(lease(scene, 999, 4, 0), NODE_NEW);
	assert_true(nodes_live(&scene->table, 5, scene->now_ms));
}

/* Recorded broadcasts of many old incarnations. */
static void replays_do_not_keep_live_nodes_out(void **state)
{
	struct scene *scene = *state;

	confirm(scene, 5, 1);
	for (uint64_t i = 1000; i < 1000 + NODES_MOST - 1; i++)
		assert_int_equal(lease(scene, i, 1, 0), NODE_NEW);
	assert_int_equal(lease(scene, 7, 1, 0), NODE_NO_ROOM);
	scene->now_ms += NODES_HELLO_MS;
	assert_int_equal(lease(scene, 1000, 2, 0), NODE_NEW);
	assert_int_equal(lease(scene, 1001, 2, 0), NODE_NEW);
	scene->now_ms += NODES_HELLO_MS;
	assert_int_equal(lease(scene, 7, 2, 0), NODE_NEW);
	/* The one that was heard longest ago has given up its place. */
	assert_non_null(nodes_find(&scene->table, 1000));
	assert_non_null(nodes_find(&scene->table, 1001));
	nodes_asked(&scene->table, 7, ++scene->hello, scene->now_ms);
	for (uint64_t i = 2000; i < 2000 + 2 * NODES_MOST; i++)
		(void)lease(scene, i, 1, 0);
	assert_int_equal(lease(scene, 7, 3, scene->hello), NODE_CONFIRMED);
	assert_true(nodes_live(&scene->table, 5, scene->now_ms));
	assert_int_equal(scene->table.count, NODES_MOST);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_broadcast_alone_does_not_make_a_node_live),
		TEST(an_answer_to_hello_does),
		TEST(each_hello_that_is_under_way_can_be_answered),
		TEST(other_answers_do_not_confirm),
		TEST(a_node_is_asked_at_once_when_the_clock_has_just_begun),
		TEST(a_node_is_asked_again_but_not_at_once),
		TEST(other_messages_do_not_confirm),
		TEST(what_was_seen_is_replayed),
		TEST(a_dead_node_is_not_revived_by_its_messages),
		TEST(a_node_that_wakes_must_prove_it),
		TEST(a_lease_that_comes_before_the_end_is_told_extends_it),
		TEST(changes_are_told),
		TEST(an_overtaken_lease_changes_nothing),
		TEST(a_lease_has_bounds),
		TEST(goodbye_is_for_ever),
		TEST(goodbye_of_an_unproven_node),
		TEST(the_next_call_is_due_when_something_ends),
		TEST(each_node_is_gone_once),
		TEST(there_is_room_for_so_many),
		TEST(replays_do_not_keep_live_nodes_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
