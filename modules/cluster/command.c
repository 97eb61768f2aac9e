/* SPDX-License-Identifier: MPL-2.0 */

/* The command `cluster` of -ctl: the nodes, and this node's part. */

#include "cluster/command.h"
#include "cluster/data.h"
#include "cluster/places.h"

static void place(struct relay_answer *to, const struct message_place *at)
{
	char text[PLACE_TEXT];

	if (at->len)
		to->text(to, place_text(at, text));
	else
		to->none(to);
}

static void row(struct relay_answer *to, const struct node_facts *facts,
	const char *state, int64_t heard_ms)
{
	to->text(to, facts->name);
	to->text(to, state);
	place(to, &facts->v4);
	place(to, &facts->v6);
	to->number(to, facts->sessions);
	to->number(to, (int64_t)facts->rate);
	if (facts->capacity)
		to->number(to, (int64_t)facts->capacity);
	else
		to->none(to);
	if (heard_ms >= 0)
		to->number(to, heard_ms);
	else
		to->none(to);
}

/* NULL: it has ended, and is only kept to know its old messages. */
static const char *state_of(
	const struct data *data, const struct node *node, int64_t now)
{
	if (nodes_live(data->nodes, node->incarnation, now))
		return node_state_words[node->facts.state];
	return node->left || node->ends_ms <= now ? NULL : "unconfirmed";
}

static void list(struct relay_ctx *cx, struct relay_answer *to)
{
	static const struct relay_column columns[] = {
		{"node", RELAY_COLUMN_TEXT}, {"state", RELAY_COLUMN_TEXT},
		{"ipv4", RELAY_COLUMN_TEXT}, {"ipv6", RELAY_COLUMN_TEXT},
		{"sessions", RELAY_COLUMN_COUNT}, {"rate", RELAY_COLUMN_RATE},
		{"capacity", RELAY_COLUMN_RATE}, {"heard", RELAY_COLUMN_MS}};
	struct data *data = data_of(cx);
	int64_t now = relay_now_ms(cx);

	to->table(to, "nodes", columns, sizeof(columns) / sizeof(columns[0]));
	row(to, &data->self, node_state_words[data->self.state], -1);
	for (unsigned i = 0; i < data->nodes->count; i++) {
		const struct node *node = &data->nodes->node[i];
		const char *state = state_of(data, node, now);

		if (state)
			row(to, &node->facts, state, now - node->heard_ms);
	}
}

static enum relay_step run(struct relay_ctx *cx, struct relay_answer *to)
{
	struct data *data = data_of(cx);
	struct claims_count count = {.devices = 0};

	if (to->count) {
		to->fail(to, RELAY_COMMAND_USAGE, "cluster takes no words");
		return RELAY_STEP_OVER;
	}
	list(cx, to);
	claims_counts(data->claims, &count);
	to->say(to,
		"devices here: %llu, of which the other nodes do not find %llu",
		(unsigned long long)count.devices,
		(unsigned long long)count.unclaimed);
	if (data->foreign)
		to->fail(to, RELAY_COMMAND_FAILED,
			"the cluster %s is of another relay: copy its cert.pem "
			"and key.pem, or set name",
			conf_of(cx)->name);
	else if (!atomic_load(&data->reachable))
		to->fail(to, RELAY_COMMAND_FAILED,
			"the registry cannot be reached%s%s",
			data->away[0] ? ": " : "", data->away);
	return RELAY_STEP_OVER;
}

static const struct relay_command_def command = {.name = "cluster",
	.help = "the nodes of the cluster, and whether they find each other",
	.run = run};

int command_init(struct relay_ctx *cx, struct relay_err *err)
{
	return relay_command_add(cx, &command) == 0
		       ? 0
		       : relay_fail(err, "cannot add the command cluster");
}
