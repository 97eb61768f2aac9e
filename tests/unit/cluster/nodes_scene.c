/* SPDX-License-Identifier: MPL-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "nodes_scene.h"

int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	assert_non_null(scene);
	nodes_init(&scene->table, SELF);
	scene->now_ms = 1000000;
	scene->facts = (struct node_facts){.name = "node",
		.v4 = {{192, 0, 2, 1}, 4, 22067},
		.v6 = {{0x20, 1}, 16, 22067},
		.lease_ms = LEASE_MS};
	*state = scene;
	return 0;
}

int tear_down(void **state)
{
	free(*state);
	return 0;
}

enum node_news say(struct scene *scene, enum message_type type, uint64_t from,
	uint64_t counter)
{
	const struct message in = {
		.type = type, .from = from, .to = SELF, .counter = counter};

	return nodes_heard(&scene->table, &in, scene->now_ms);
}

enum node_news lease(
	struct scene *scene, uint64_t from, uint64_t counter, uint64_t answers)
{
	struct message in = {.type = MESSAGE_LEASE,
		.version = 0x10,
		.from = from,
		.to = answers ? SELF : 0,
		.counter = counter,
		.lease = scene->facts};

	in.lease.answers = answers;
	return nodes_heard(&scene->table, &in, scene->now_ms);
}

void confirm(struct scene *scene, uint64_t from, uint64_t counter)
{
	assert_int_equal(lease(scene, from, counter, 0), NODE_NEW);
	nodes_asked(&scene->table, from, ++scene->hello, scene->now_ms);
	assert_int_equal(
		lease(scene, from, counter + 1, scene->hello), NODE_CONFIRMED);
}

static void count(void *arg, const struct node *node)
{
	struct scene *scene = arg;

	scene->gone++;
	if (node->incarnation <= NODES_MOST)
		scene->gone_of[node->incarnation]++;
	assert_false(
		nodes_live(&scene->table, node->incarnation, scene->now_ms));
}

int64_t expire(struct scene *scene)
{
	int64_t next_ms =
		nodes_expire(&scene->table, scene->now_ms, count, scene);

	assert_true(next_ms >= 1);
	return next_ms;
}
