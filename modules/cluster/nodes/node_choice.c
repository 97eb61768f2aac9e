/* SPDX-License-Identifier: MPL-2.0 */

/* Compares the nodes of the table: which has another's name, which carries
 * less. */

#include <string.h>

#include "cluster/nodes/node_table.h"

static bool is_open(const struct node *node, int64_t now_ms)
{
	return node_lives(node, now_ms) && node->facts.state == NODE_OPEN;
}

const struct node *nodes_twin(const struct node_table *table,
	const struct node_facts *self, int64_t now_ms)
{
	if (self->state == NODE_DRAINING)
		return NULL;
	for (unsigned i = 0; i < table->count; i++) {
		const struct node *node = &table->node[i];

		if (node_lives(node, now_ms) &&
			node->facts.state != NODE_DRAINING &&
			now_ms - node->proven_ms >= NODES_TWIN_MS &&
			strcmp(node->facts.name, self->name) == 0)
			return node;
	}
	return NULL;
}

static bool same_place(
	const struct message_place *one, const struct message_place *other)
{
	return one->len && one->len == other->len && one->port == other->port &&
	       memcmp(one->address, other->address, one->len) == 0;
}

const struct node *nodes_same_place(const struct node_table *table,
	const struct node_facts *self, int64_t now_ms)
{
	for (unsigned i = 0; i < table->count; i++) {
		const struct node *node = &table->node[i];

		if (node_lives(node, now_ms) &&
			strcmp(node->facts.name, self->name) != 0 &&
			(same_place(&node->facts.v4, &self->v4) ||
				same_place(&node->facts.v6, &self->v6)))
			return node;
	}
	return NULL;
}

static bool has(const struct node_facts *facts, unsigned families)
{
	unsigned there = (facts->v4.len ? 1 : 0) | (facts->v6.len ? 2 : 0);

	return families ? (there & families) == families : there != 0;
}

/* A double may round, but does not overflow. */
static double load(const struct node_facts *facts, bool by_capacity)
{
	return by_capacity ? (double)facts->rate / (double)facts->capacity
			   : (double)facts->sessions;
}

const struct node *nodes_choose(const struct node_table *table,
	unsigned families, uint64_t but, uint64_t random, int64_t now_ms)
{
	const struct node *open[NODES_MOST], *a, *b;
	uint64_t count = 0, first, second;
	bool by_capacity;

	for (unsigned i = 0; i < table->count; i++)
		if (table->node[i].incarnation != but &&
			is_open(&table->node[i], now_ms) &&
			has(&table->node[i].facts, families))
			open[count++] = &table->node[i];
	if (count == 0)
		return NULL;
	first = (random & UINT32_MAX) % count;
	if (count == 1)
		return open[first];
	second = (random >> 32) % (count - 1);
	if (second >= first)
		second++; /* another one */
	a = open[first];
	b = open[second];
	by_capacity = a->facts.capacity && b->facts.capacity;
	return load(&b->facts, by_capacity) < load(&a->facts, by_capacity) ? b
									   : a;
}

static bool above_mean(const struct node_table *table,
	const struct node_facts *self, bool by_capacity, int64_t now_ms)
{
	double sum = 0;
	unsigned count = 0;

	for (unsigned i = 0; i < table->count; i++)
		if (is_open(&table->node[i], now_ms)) {
			sum += load(&table->node[i].facts, by_capacity);
			count++;
		}
	return count > 0 && load(self, by_capacity) * count > 2 * sum;
}

bool nodes_above_share(const struct node_table *table,
	const struct node_facts *self, unsigned percent, int64_t now_ms)
{
	bool by_capacity = self->capacity != 0;

	/* Without a division, whose result i386 keeps with more digits. */
	if (by_capacity && (double)self->rate * 100 >
				   (double)percent * (double)self->capacity)
		return true;
	if (self->sessions < NODES_SHARE_LEAST)
		return false;
	for (unsigned i = 0; i < table->count; i++)
		if (is_open(&table->node[i], now_ms) &&
			!table->node[i].facts.capacity)
			by_capacity = false;
	return above_mean(table, self, by_capacity, now_ms);
}
