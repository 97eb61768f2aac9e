/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of comparisons of nodes: two with one name, who gets a session, who
 * carries too much. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cluster/nodes/node_table.h"
#include "nodes_scene.h"

#define DRAWS 20000

static uint64_t next_random(uint64_t *chance)
{
	*chance += 0x9e3779b97f4a7c15U;
	uint64_t z = *chance;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
	z = (z ^ z >> 27) * 0x94d049bb133111ebU;
	return z ^ z >> 31;
}

static void node(struct scene *scene, uint64_t incarnation, uint32_t sessions,
	uint64_t rate, uint64_t capacity)
{
	scene->facts.sessions = sessions;
	scene->facts.rate = rate;
	scene->facts.capacity = capacity;
	confirm(scene, incarnation, 1);
}

/* How often each of the nodes 1 to 9 is chosen in DRAWS draws. */
static void draw(
	const struct scene *scene, unsigned families, unsigned chosen[10])
{
	uint64_t chance = 1;

	memset(chosen, 0, 10 * sizeof(chosen[0]));
	for (int i = 0; i < DRAWS; i++) {
		const struct node *node = nodes_choose(&scene->table, families,
			0, next_random(&chance), scene->now_ms);

		if (node)
			chosen[node->incarnation]++;
	}
}

static void two_nodes_with_one_name_are_found(void **state)
{
	struct scene *scene = *state;
	struct node_facts self = scene->facts;

	confirm(scene, 7, 1);
	scene->now_ms += NODES_TWIN_MS - 1;
	lease(scene, 7, 10, 0);
	assert_null(nodes_twin(&scene->table, &self, scene->now_ms));
	scene->now_ms += 1;
	assert_non_null(nodes_twin(&scene->table, &self, scene->now_ms));
	assert_int_equal(
		nodes_twin(&scene->table, &self, scene->now_ms)->incarnation,
		7);
	self.name[0] = 'x';
	assert_null(nodes_twin(&scene->table, &self, scene->now_ms));
	self.name[0] = scene->facts.name[0];
	scene->now_ms += LEASE_MS;
	assert_null(nodes_twin(&scene->table, &self, scene->now_ms));
}

static void an_upgrade_is_no_twin(void **state)
{
	struct scene *scene = *state;
	struct node_facts self = scene->facts;

	confirm(scene, 7, 1);
	scene->now_ms += NODES_TWIN_MS;
	lease(scene, 7, 10, 0);
	/* We are the old process, or the other one is. */
	self.state = NODE_DRAINING;
	assert_null(nodes_twin(&scene->table, &self, scene->now_ms));
	self.state = NODE_CLOSED;
	assert_non_null(nodes_twin(&scene->table, &self, scene->now_ms));
	scene->facts.state = NODE_DRAINING;
	lease(scene, 7, 11, 0);
	assert_null(nodes_twin(&scene->table, &self, scene->now_ms));
}

/* One that was killed and starts again never hears of its old process. */
static void an_unproven_node_is_no_twin(void **state)
{
	struct scene *scene = *state;

	for (uint64_t counter = 1; counter < 20; counter++) {
		lease(scene, 7, counter, 0);
		scene->now_ms += NODES_TWIN_MS / 4;
	}
	assert_null(nodes_twin(&scene->table, &scene->facts, scene->now_ms));
}

static void nodes_that_tell_one_address_are_found(void **state)
{
	struct scene *scene = *state;
	struct node_facts self = scene->facts;

	self.name[0] = 'x';
	self.v4 = (struct message_place){{192, 0, 2, 1}, 4, 22067};
	scene->facts.v4 = self.v4;
	scene->facts.v6.len = 0;
	self.v6.len = 0;
	lease(scene, 7, 1, 0); /* not confirmed */
	assert_null(nodes_same_place(&scene->table, &self, scene->now_ms));
	confirm(scene, 7, 2);
	assert_int_equal(nodes_same_place(&scene->table, &self, scene->now_ms)
				 ->incarnation,
		7);
	self.v4.port++;
	assert_null(nodes_same_place(&scene->table, &self, scene->now_ms));
	self.v4.port--;
	self.v4.address[3]++;
	assert_null(nodes_same_place(&scene->table, &self, scene->now_ms));
	self.v4.len = 0; /* neither has one of IPv6 */
	assert_null(nodes_same_place(&scene->table, &self, scene->now_ms));
	self.v4 = scene->facts.v4;
	self.name[0] = scene->facts.name[0]; /* an upgrade */
	assert_null(nodes_same_place(&scene->table, &self, scene->now_ms));
}

static void nobody_is_chosen_of_none(void **state)
{
	struct scene *scene = *state;
	unsigned chosen[10];

	assert_null(nodes_choose(&scene->table, 0, 0, 1, scene->now_ms));
	lease(scene, 7, 1, 0); /* not confirmed */
	assert_null(nodes_choose(&scene->table, 0, 0, 1, scene->now_ms));
	node(scene, 1, 0, 0, 0);
	draw(scene, 0, chosen);
	assert_int_equal(chosen[1], DRAWS);
	assert_null(
		nodes_choose(&scene->table, 0, 0, 1, scene->now_ms + LEASE_MS));
}

static void the_one_that_was_asked_before_is_not(void **state)
{
	struct scene *scene = *state;
	uint64_t chance = 1;

	node(scene, 1, 0, 0, 0);
	assert_null(nodes_choose(&scene->table, 0, 1, 1, scene->now_ms));
	/* However much more the other one carries. */
	node(scene, 2, 1000, 0, 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(nodes_choose(&scene->table, 0, 1,
					 next_random(&chance), scene->now_ms)
					 ->incarnation,
			2);
}

static void only_open_nodes_are_chosen(void **state)
{
	struct scene *scene = *state;
	unsigned chosen[10];

	node(scene, 1, 0, 0, 0);
	scene->facts.state = NODE_CLOSED;
	node(scene, 2, 0, 0, 0);
	scene->facts.state = NODE_DRAINING;
	node(scene, 3, 0, 0, 0);
	draw(scene, 0, chosen);
	assert_int_equal(chosen[1], DRAWS);
}

static void it_has_the_families_that_are_needed(void **state)
{
	struct scene *scene = *state;
	unsigned chosen[10];

	node(scene, 1, 0, 0, 0);
	scene->facts.v4.len = 0;
	node(scene, 2, 0, 0, 0);
	scene->facts.v6.len = 0;
	node(scene, 3, 0, 0, 0);
	scene->facts.v4.len = 4;
	node(scene, 4, 0, 0, 0);
	draw(scene, 1, chosen);
	assert_int_equal(chosen[1] + chosen[4], DRAWS);
	draw(scene, 2, chosen);
	assert_int_equal(chosen[1] + chosen[2], DRAWS);
	draw(scene, 3, chosen);
	assert_int_equal(chosen[1], DRAWS);
	draw(scene, 0, chosen);
	assert_int_equal(chosen[1] + chosen[2] + chosen[4], DRAWS);
}

/* Of four, the one with most is never chosen, and the others by their rank: 3,
 * 2 and 1 of 6 pairs. */
static void the_less_loaded_of_two_is_chosen(void **state)
{
	struct scene *scene = *state;
	unsigned chosen[10];

	node(scene, 1, 9, 100, 1000);
	node(scene, 2, 8, 3000, 10000);
	node(scene, 3, 7, 200, 1000);
	node(scene, 4, 6, 8, 10);
	draw(scene, 0, chosen);
	assert_int_equal(chosen[4], 0);
	assert_in_range(chosen[1], DRAWS * 47 / 100, DRAWS * 53 / 100);
	assert_in_range(chosen[3], DRAWS * 30 / 100, DRAWS * 37 / 100);
	assert_in_range(chosen[2], DRAWS * 14 / 100, DRAWS * 20 / 100);
}

static void equal_ones_are_chosen_equally(void **state)
{
	struct scene *scene = *state;
	unsigned chosen[10];

	for (uint64_t i = 1; i <= 5; i++)
		node(scene, i, 3, 0, 0);
	draw(scene, 0, chosen);
	for (int i = 1; i <= 5; i++)
		assert_in_range(chosen[i], DRAWS * 17 / 100, DRAWS * 23 / 100);
}

static void sessions_count_where_a_capacity_is_unknown(void **state)
{
	struct scene *scene = *state;
	unsigned chosen[10];

	node(scene, 1, 5, 900, 1000);
	node(scene, 2, 6, 0, 0);
	draw(scene, 0, chosen);
	assert_int_equal(chosen[1], DRAWS);
	scene->facts.sessions = 4;
	lease(scene, 2, 10, 0);
	draw(scene, 0, chosen);
	assert_int_equal(chosen[2], DRAWS);
}

static void large_numbers_do_not_overflow(void **state)
{
	struct scene *scene = *state;
	unsigned chosen[10];

	node(scene, 1, 0, UINT64_MAX, UINT64_MAX / 2);
	node(scene, 2, 0, UINT64_MAX / 2, UINT64_MAX);
	draw(scene, 0, chosen);
	assert_int_equal(chosen[2], DRAWS);
}

static void above_its_capacity(void **state)
{
	struct scene *scene = *state;
	struct node_facts self = {.rate = 80, .capacity = 100};

	assert_false(
		nodes_above_share(&scene->table, &self, 80, scene->now_ms));
	self.rate = 81;
	assert_true(nodes_above_share(&scene->table, &self, 80, scene->now_ms));
	self.capacity = 0;
	assert_false(
		nodes_above_share(&scene->table, &self, 80, scene->now_ms));
	self = (struct node_facts){
		.rate = UINT64_MAX, .capacity = UINT64_MAX / 4 * 5};
	assert_true(nodes_above_share(&scene->table, &self, 80, scene->now_ms));
}

static void above_twice_the_mean_of_the_others(void **state)
{
	struct scene *scene = *state;
	struct node_facts self = {.sessions = 40};

	assert_false(
		nodes_above_share(&scene->table, &self, 80, scene->now_ms));
	node(scene, 1, 30, 0, 0);
	node(scene, 2, 10, 0, 0);
	assert_false(
		nodes_above_share(&scene->table, &self, 80, scene->now_ms));
	self.sessions = 41;
	assert_true(nodes_above_share(&scene->table, &self, 80, scene->now_ms));
	/* Those that could not take anything do not count. */
	scene->facts.state = NODE_DRAINING;
	node(scene, 3, 0, 0, 0);
	scene->facts.state = NODE_OPEN;
	self.sessions = 40;
	assert_false(
		nodes_above_share(&scene->table, &self, 80, scene->now_ms));
	assert_false(nodes_above_share(
		&scene->table, &self, 80, scene->now_ms + LEASE_MS));
}

static void a_node_with_few_sessions_keeps_them(void **state)
{
	struct scene *scene = *state;
	struct node_facts self = {.sessions = NODES_SHARE_LEAST - 1};

	node(scene, 1, 0, 0, 0);
	assert_false(
		nodes_above_share(&scene->table, &self, 80, scene->now_ms));
	self.sessions++;
	assert_true(nodes_above_share(&scene->table, &self, 80, scene->now_ms));
}

static void the_mean_is_by_capacity_if_all_are_known(void **state)
{
	struct scene *scene = *state;
	struct node_facts self = {.sessions = 100, .rate = 50, .capacity = 100};

	node(scene, 1, 10, 30, 100);
	assert_false(
		nodes_above_share(&scene->table, &self, 80, scene->now_ms));
	self.rate = 61;
	assert_true(nodes_above_share(&scene->table, &self, 80, scene->now_ms));
	self.rate = 50;
	node(scene, 2, 10, 30, 0);
	assert_true(nodes_above_share(&scene->table, &self, 80, scene->now_ms));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(two_nodes_with_one_name_are_found),
		TEST(an_upgrade_is_no_twin),
		TEST(an_unproven_node_is_no_twin),
		TEST(nodes_that_tell_one_address_are_found),
		TEST(nobody_is_chosen_of_none),
		TEST(the_one_that_was_asked_before_is_not),
		TEST(only_open_nodes_are_chosen),
		TEST(it_has_the_families_that_are_needed),
		TEST(the_less_loaded_of_two_is_chosen),
		TEST(equal_ones_are_chosen_equally),
		TEST(sessions_count_where_a_capacity_is_unknown),
		TEST(large_numbers_do_not_overflow),
		TEST(above_its_capacity),
		TEST(above_twice_the_mean_of_the_others),
		TEST(a_node_with_few_sessions_keeps_them),
		TEST(the_mean_is_by_capacity_if_all_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
