/* SPDX-License-Identifier: MPL-2.0 */

/* The nodes that live, by name. */

#include <string.h>

#include "cluster/data.h"
#include "cluster/named.h"

const struct node_facts *named_facts(struct relay_ctx *cx, unsigned nth)
{
	struct data *data = data_of(cx);
	uint64_t incarnation;
	const struct node *node;

	if (nth >= data->named.count)
		return NULL;
	incarnation = data->named.incarnation[nth];
	if (incarnation == data->seal.self)
		return &data->self;
	if (!nodes_live(data->nodes, incarnation, relay_now_ms(cx)))
		return NULL;
	node = nodes_find(data->nodes, incarnation);
	return node ? &node->facts : NULL;
}

/* A label has each name once: of two processes with one name, the one that does
 * not drain. */
static bool is_first(
	const struct data *data, const struct node *node, int64_t now_ms)
{
	if (strcmp(node->facts.name, data->node) == 0)
		return false;
	for (unsigned i = 0; i < data->nodes->count; i++) {
		const struct node *other = &data->nodes->node[i];

		if (other != node &&
			strcmp(other->facts.name, node->facts.name) == 0 &&
			nodes_live(data->nodes, other->incarnation, now_ms) &&
			(node->facts.state == NODE_DRAINING || other < node))
			return false;
	}
	return true;
}

void named_again(struct relay_ctx *cx)
{
	struct data *data = data_of(cx);
	const char *names[NAMED_MOST + 1] = {data->node};
	int64_t now = relay_now_ms(cx);
	unsigned count = 1;

	data->named.incarnation[0] = data->seal.self;
	for (unsigned i = 0; i < data->nodes->count && count < NAMED_MOST;
		i++) {
		const struct node *node = &data->nodes->node[i];

		if (!nodes_live(data->nodes, node->incarnation, now) ||
			!is_first(data, node, now))
			continue;
		data->named.incarnation[count] = node->incarnation;
		names[count++] = node->facts.name;
	}
	names[count] = NULL;
	/* Without memory the old names stay, and the log says so. */
	if (relay_metric_relabel(
		    cx, data->counts[COUNT_NODE_SESSIONS], names) == 0 &&
		relay_metric_relabel(
			cx, data->counts[COUNT_NODE_RATE], names) == 0)
		data->named.count = count;
}

int64_t named_in_state(struct relay_ctx *cx, enum node_state state)
{
	const struct data *data = data_of(cx);
	int64_t count =
		state == NODE_STATES || data->self.state == state ? 1 : 0;

	for (unsigned i = 0; i < data->nodes->count; i++) {
		const struct node *node = &data->nodes->node[i];

		if (nodes_live(
			    data->nodes, node->incarnation, relay_now_ms(cx)) &&
			(state == NODE_STATES || node->facts.state == state))
			count++;
	}
	return count;
}
