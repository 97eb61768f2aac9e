/* SPDX-License-Identifier: MPL-2.0 */

/* nodes_scene.h - a table of nodes, and messages for it. */
#ifndef NODES_SCENE_H
#define NODES_SCENE_H

#include "cluster/nodes/node_table.h"

#define SELF     0xffff
#define LEASE_MS 10000

struct scene {
	struct node_table table;
	int64_t now_ms;
	struct node_facts facts; /* of the next lease() */
	uint64_t hello;          /* the counter of the last HELLO */
	unsigned gone;
	unsigned gone_of[NODES_MOST + 1]; /* by incarnation */
};

int set_up(void **state);
int tear_down(void **state);
enum node_news say(struct scene *scene, enum message_type type, uint64_t from,
	uint64_t counter);
/* scene->facts, as an answer to that HELLO; 0: to all. */
enum node_news lease(
	struct scene *scene, uint64_t from, uint64_t counter, uint64_t answers);
/* It has said `counter` and `counter` + 1, and lives. */
void confirm(struct scene *scene, uint64_t from, uint64_t counter);
int64_t expire(struct scene *scene);

#endif
