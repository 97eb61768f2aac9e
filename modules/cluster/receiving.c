/* SPDX-License-Identifier: MPL-2.0 */

/* Messages of other nodes. */

#include <inttypes.h>
#include <string.h>

#include "cluster/answering.h"
#include "cluster/data.h"
#include "cluster/named.h"
#include "cluster/own_node.h"
#include "cluster/receiving.h"
#include "cluster/sending.h"

static void on_hello(struct relay_ctx *cx, const struct message *in)
{
	own_node_tell(cx, in->from, in->counter);
}

static void on_answer(struct relay_ctx *cx, const struct message *in)
{
	struct data *data = data_of(cx);

	if (!asks_answered(data->asks, &in->answer, relay_now_ms(cx)))
		relay_metric_inc(cx, data->counts[COUNT_LATE_ANSWERS], 0, 1);
}

static void on_claimed(struct relay_ctx *cx, const struct message *in)
{
	claims_told_claimed(data_of(cx)->claims, in->from, in->claim.id,
		in->claim.epoch, relay_now_ms(cx));
}

static void on_alive(struct relay_ctx *cx, const struct message *in)
{
	claims_told_alive(data_of(cx)->claims, in->from, in->claim.id,
		in->claim.epoch, relay_now_ms(cx));
}

/* The rest of what a lease and a goodbye mean is in the table of nodes. */
static void (*const handlers[MESSAGE_TYPES])(
	struct relay_ctx *cx, const struct message *in) = {
	[MESSAGE_HELLO] = on_hello,
	[MESSAGE_ASK] = answering_ask,
	[MESSAGE_ANSWER] = on_answer,
	[MESSAGE_PREPARE] = answering_prepare,
	[MESSAGE_PREPARED] = answering_prepared,
	[MESSAGE_CLAIMED] = on_claimed,
	[MESSAGE_ALIVE] = on_alive,
};

static void refuse(struct relay_ctx *cx, enum seal_fault fault)
{
	static const char *const advice[SEAL_FAULTS] = {
		[SEAL_SHORT] = "something else publishes on this cluster's "
			       "channels; give the cluster another name",
		[SEAL_VERSION] = "a node runs a version that this one does not "
				 "understand; upgrade this one",
		[SEAL_GENERATION] = "a node's generation differs by more than "
				    "one; set the same one on all nodes",
		[SEAL_FORGED] =
			"it was not made with this relay's key.pem; copy "
			"the same cert.pem and key.pem to all nodes",
		[SEAL_MALFORMED] = "a node has sent what no version sends",
		[SEAL_FAILED] = "memory is short",
	};
	struct data *data = data_of(cx);

	/* All nodes hear what was sent to all. */
	if (fault == SEAL_NOT_FOR_US)
		return;
	relay_metric_inc(cx, data->counts[COUNT_REJECTED], fault - 1, 1);
	if (advice[fault])
		relay_log_seldom(cx, RELAY_WARNING, &data->rejected[fault],
			"a message of the cluster was dropped (%s): %s",
			seal_fault_word(fault), advice[fault]);
}

static void tell_node(struct relay_ctx *cx, uint64_t incarnation,
	enum relay_level level, const char *what)
{
	const struct node *node = nodes_find(data_of(cx)->nodes, incarnation);

	if (node)
		relay_log(cx, level, "node %s (%016" PRIx64 ") %s",
			node->facts.name, incarnation, what);
}

static void ask_for_proof(struct relay_ctx *cx, uint64_t of)
{
	struct message hello = {.type = MESSAGE_HELLO};

	send_message(cx, of, &hello);
	nodes_asked(data_of(cx)->nodes, of, hello.counter, relay_now_ms(cx));
}

/* What the table of nodes says.  Whether the message is to be used. */
static bool hear(struct relay_ctx *cx, const struct message *in)
{
	struct data *data = data_of(cx);

	switch (nodes_heard(data->nodes, in, relay_now_ms(cx))) {
	case NODE_KNOWN:
		return true;
	case NODE_CONFIRMED:
		tell_node(cx, in->from, RELAY_NOTICE, "is up");
		named_again(cx);
		return true;
	case NODE_CHANGED:
		tell_node(cx, in->from, RELAY_INFO, "has changed");
		named_again(cx);
		return true;
	case NODE_LEFT:
		(void)receive_expire(cx);
		return false;
	case NODE_NEW:
		ask_for_proof(cx, in->from);
		return in->type == MESSAGE_HELLO;
	case NODE_UNPROVEN:
		return in->type == MESSAGE_HELLO;
	case NODE_REPLAYED:
		relay_metric_inc(cx, data->counts[COUNT_REPLAYED], 0, 1);
		return false;
	case NODE_NO_ROOM:
		relay_log_seldom(cx, RELAY_WARNING, &data->no_room,
			"there are more than %d nodes: the others are ignored",
			NODES_MOST);
		return false;
	case NODE_NEWS:
		break;
	}
	return false;
}

void receive_message(struct relay_ctx *cx, const uint8_t *bytes, size_t len)
{
	struct data *data = data_of(cx);
	struct message in;
	enum seal_fault fault = seal_open(&data->seal, bytes, len, &in);

	if (fault != SEAL_GOOD) {
		refuse(cx, fault);
		return;
	}
	relay_metric_inc(cx, data->counts[COUNT_RECEIVED], in.type - 1, 1);
	if (hear(cx, &in) && handlers[in.type])
		handlers[in.type](cx, &in);
}

static void gone(void *arg, const struct node *node)
{
	struct relay_ctx *cx = arg;

	data_of(cx)->some_gone = true;
	relay_log(cx, RELAY_NOTICE, "node %s (%016" PRIx64 ") is gone",
		node->facts.name, node->incarnation);
}

int64_t receive_expire(struct relay_ctx *cx)
{
	struct data *data = data_of(cx);
	int64_t next_ms = nodes_expire(data->nodes, relay_now_ms(cx), gone, cx);

	if (data->some_gone)
		named_again(cx);
	data->some_gone = false;
	return next_ms;
}
