/* SPDX-License-Identifier: MPL-2.0 */

#include <assert.h>
#include <string.h>

#include "cluster/nodes/node_table.h"

void nodes_init(struct node_table *table, uint64_t self)
{
	memset(table, 0, sizeof(*table));
	table->self = self;
}

/* table->count: it is not there. */
static unsigned place_of(const struct node_table *table, uint64_t incarnation)
{
	unsigned i = 0;

	while (i < table->count && table->node[i].incarnation != incarnation)
		i++;
	return i;
}

static struct node *find(struct node_table *table, uint64_t incarnation)
{
	unsigned i = place_of(table, incarnation);

	return i < table->count ? &table->node[i] : NULL;
}

const struct node *nodes_find(
	const struct node_table *table, uint64_t incarnation)
{
	unsigned i = place_of(table, incarnation);

	return i < table->count ? &table->node[i] : NULL;
}

bool node_lives(const struct node *node, int64_t now_ms)
{
	return node->confirmed && !node->left && now_ms < node->ends_ms;
}

bool nodes_live(
	const struct node_table *table, uint64_t incarnation, int64_t now_ms)
{
	const struct node *node = nodes_find(table, incarnation);

	return node && node_lives(node, now_ms);
}

bool nodes_may_live(
	const struct node_table *table, uint64_t incarnation, int64_t now_ms)
{
	const struct node *node = nodes_find(table, incarnation);

	return node && !node->left && now_ms < node->ends_ms;
}

/*
 * The place of one that is not confirmed, and had its time to prove that it
 * lives: the one that was heard longest ago.  Else recorded messages of many
 * dead nodes would keep live ones out.
 */
static struct node *place_of_unproven(struct node_table *table, int64_t now_ms)
{
	struct node *oldest = NULL;

	for (unsigned i = 0; i < table->count; i++) {
		struct node *node = &table->node[i];

		if (!node->confirmed &&
			now_ms - node->heard_ms >= NODES_HELLO_MS &&
			(!oldest || node->heard_ms < oldest->heard_ms))
			oldest = node;
	}
	return oldest;
}

static struct node *add(
	struct node_table *table, uint64_t incarnation, int64_t now_ms)
{
	struct node *node;

	if (table->count < NODES_MOST)
		node = &table->node[table->count++];
	else
		node = place_of_unproven(table, now_ms);
	if (node)
		*node = (struct node){
			.incarnation = incarnation, .ends_ms = now_ms};
	return node;
}

static bool same_place(
	const struct message_place *a, const struct message_place *b)
{
	return a->len == b->len && a->port == b->port &&
	       memcmp(a->address, b->address, a->len) == 0;
}

static bool same(const struct node_facts *a, const struct node_facts *b)
{
	return strcmp(a->name, b->name) == 0 && a->state == b->state &&
	       same_place(&a->v4, &b->v4) && same_place(&a->v6, &b->v6);
}

static int64_t bounded(uint32_t lease_ms)
{
	if (lease_ms < NODES_LEASE_LEAST_MS)
		return NODES_LEASE_LEAST_MS;
	if (lease_ms > NODES_LEASE_MOST_MS)
		return NODES_LEASE_MOST_MS;
	return lease_ms;
}

/* Whether it is another than before.  One that was overtaken by a newer one
 * says nothing new. */
static bool take_facts(
	struct node *node, const struct message *in, int64_t now_ms)
{
	bool differs;

	if (in->counter < node->newest)
		return false;
	differs = !same(&node->facts, &in->lease);
	node->newest = in->counter;
	node->facts = in->lease;
	node->version = in->version;
	node->ends_ms = now_ms + bounded(in->lease.lease_ms);
	return differs;
}

static bool is_proof(const struct node *node, const struct message *in)
{
	return in->type == MESSAGE_LEASE && in->to != 0 && node->hello[0] &&
	       in->lease.answers >= node->hello[0] &&
	       in->lease.answers <= node->hello[1];
}

static enum node_news unproven(const struct node *node, int64_t now_ms)
{
	return node->hello[0] && now_ms - node->hello_ms < NODES_HELLO_MS
		       ? NODE_UNPROVEN
		       : NODE_NEW;
}

static enum node_news news_of(
	struct node *node, const struct message *in, int64_t now_ms)
{
	bool differs = false;

	if (in->type == MESSAGE_GOODBYE)
		node->left = true;
	if (node->left)
		return in->type == MESSAGE_GOODBYE ? NODE_LEFT : NODE_UNPROVEN;
	if (in->type == MESSAGE_LEASE)
		differs = take_facts(node, in, now_ms);
	if (node->confirmed)
		return differs ? NODE_CHANGED : NODE_KNOWN;
	if (!is_proof(node, in))
		return unproven(node, now_ms);
	node->confirmed = true;
	node->proven_ms = now_ms;
	return NODE_CONFIRMED;
}

enum node_news nodes_heard(
	struct node_table *table, const struct message *in, int64_t now_ms)
{
	struct node *node = find(table, in->from);

	assert(in->from && in->from != table->self);
	if (!node && in->type == MESSAGE_GOODBYE)
		return NODE_UNPROVEN;
	if (!node)
		node = add(table, in->from, now_ms);
	if (!node)
		return NODE_NO_ROOM;
	if (!replay_is_new(&node->replay, in->counter))
		return NODE_REPLAYED;
	node->heard_ms = now_ms;
	return news_of(node, in, now_ms);
}

void nodes_asked(struct node_table *table, uint64_t incarnation,
	uint64_t counter, int64_t now_ms)
{
	struct node *node = find(table, incarnation);

	if (!node || !counter)
		return;
	if (!node->hello[0])
		node->hello[0] = counter;
	node->hello[1] = counter;
	node->hello_ms = now_ms;
}

/* It must prove again that it lives; what it has proven is over. */
static void end(struct node *node, int64_t now_ms)
{
	node->confirmed = false;
	node->hello[0] = node->hello[1] = 0;
	if (now_ms < node->ends_ms)
		node->ends_ms = now_ms; /* GOODBYE */
}

int64_t nodes_expire(struct node_table *table, int64_t now_ms,
	void (*gone)(void *arg, const struct node *node), void *arg)
{
	int64_t next_ms = now_ms + NODES_KEEP_MS;

	for (unsigned i = 0; i < table->count;) {
		struct node *node = &table->node[i];
		int64_t due_ms = node->ends_ms;

		if (node->confirmed && !node_lives(node, now_ms)) {
			end(node, now_ms);
			gone(arg, node);
		}
		if (!node->confirmed)
			due_ms = node->ends_ms + NODES_KEEP_MS;
		if (due_ms <= now_ms) {
			*node = table->node[--table->count];
			continue;
		}
		if (due_ms < next_ms)
			next_ms = due_ms;
		i++;
	}
	return next_ms - now_ms;
}
