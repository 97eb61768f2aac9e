/* SPDX-License-Identifier: MPL-2.0 */

/* The owner's side of an ask. */

#include <string.h>

#include "cluster/answering.h"
#include "cluster/answering_places.h"
#include "cluster/chance.h"
#include "cluster/data.h"
#include "cluster/places.h"
#include "cluster/sending.h"

/* Above that share of its capacity a node gives sessions away. */
#define SHARE_PERCENT 90

static void send_answer(struct relay_ctx *cx, uint64_t to,
	enum message_type type, const struct message_answer *answer)
{
	struct message out = {.type = type, .answer = *answer};

	send_message(cx, to, &out);
}

static void tell_asker(struct relay_ctx *cx, const struct answering_ask *ask)
{
	struct data *data = data_of(cx);

	if (ask->from == data->seal.self)
		(void)asks_answered(data->asks, &ask->answer, relay_now_ms(cx));
	else
		send_answer(cx, ask->from, MESSAGE_ANSWER, &ask->answer);
}

static void answer(
	struct relay_ctx *cx, struct answering_ask *ask, enum answer_end end)
{
	relay_metric_inc(cx, data_of(cx)->counts[COUNT_ANSWERED], end, 1);
	ask->answer.end = end;
	ask->answer.number = ask->ask.number;
	/* The device's own key is nobody else's. */
	memset(ask->answer.key[1], 0, MESSAGE_ID);
	ask->answered = true;
	tell_asker(cx, ask);
}

static void refuse(struct relay_ctx *cx, const struct message *in,
	enum message_type type, enum answer_end end)
{
	struct message_answer no = {.number = in->ask.number, .end = end};

	relay_metric_inc(cx, data_of(cx)->counts[COUNT_ANSWERED], end, 1);
	send_answer(cx, in->from, type, &no);
}

static void remote_of(
	const struct message_ask *in, uint64_t number, struct remote_ask *out)
{
	out->number = number;
	memcpy(out->asker, in->asker, sizeof(out->asker));
	memcpy(out->target, in->target, sizeof(out->target));
	place_to_address(&in->from, &out->from);
}

static enum answer_end end_of(enum remote_end end)
{
	switch (end) {
	case REMOTE_INVITED:
		return ANSWER_INVITED;
	case REMOTE_ABSENT:
		return ANSWER_ABSENT;
	case REMOTE_REFUSED:
		return ANSWER_REFUSED;
	case REMOTE_CLOSED:
	case REMOTE_FULL:
		return ANSWER_FULL;
	case REMOTE_ERROR:
		break;
	}
	return ANSWER_ERROR;
}

static bool may_hold(
	const struct node *node, uint64_t but, unsigned families, int64_t now)
{
	return node && node->incarnation != but && node_lives(node, now) &&
	       node->facts.state == NODE_OPEN &&
	       (place_families(&node->facts.v4, &node->facts.v6) & families) ==
		       families;
}

/* The asker's node, if it may; else one of two; but not the one that was asked
 * before.  NULL: nobody has an address of each family. */
static const struct node *holder_with(const struct relay_ctx *cx,
	const struct answering_ask *ask, unsigned families)
{
	const struct data *data = data_of(cx);
	const struct node *asker = nodes_find(data->nodes, ask->from);
	int64_t now = relay_now_ms(cx);

	return may_hold(asker, ask->holder, families, now)
		       ? asker
		       : nodes_choose(data->nodes, families, ask->holder,
				 chance_number(), now);
}

/*
 * The device may have come in by any family that this node has, so a node that
 * has all of them is right for it.  If there is none, and this node cannot hold
 * it, one that the asker reaches is better than none: most devices have both
 * families, and an asker who is told `not found` does not ask again for
 * minutes.
 */
static const struct node *holder(
	const struct relay_ctx *cx, const struct answering_ask *ask)
{
	const struct data *data = data_of(cx);
	unsigned own = place_families(&data->self.v4, &data->self.v6);
	unsigned asker = ask->ask.from.len == 4 ? 1U : 2U;
	const struct node *node = holder_with(cx, ask, own | asker);

	if (node || (!relay_closed() && relay_draining() == RELAY_DRAIN_NONE))
		return node;
	return holder_with(cx, ask, asker);
}

static bool hold_elsewhere(struct relay_ctx *cx, struct answering_ask *ask)
{
	const struct node *node = holder(cx, ask);
	struct message out = {.type = MESSAGE_PREPARE, .ask = ask->ask};

	if (!node || ask->holders++ == ANSWERING_HOLDERS)
		return false;
	ask->holder = node->incarnation;
	ask->prepare_ms = relay_now_ms(cx);
	data_of(cx)->answering.waits = true;
	out.ask.number = ask->serial;
	send_message(cx, node->incarnation, &out);
	return true;
}

int64_t answering_tick(struct relay_ctx *cx)
{
	struct answering *answering = &data_of(cx)->answering;
	int64_t now = relay_now_ms(cx), late = now - ANSWERING_PREPARE_MS;
	bool waits = false;

	if (!answering->waits)
		return ANSWERING_MS;
	for (unsigned i = 0; i < ANSWERING_MOST; i++) {
		struct answering_ask *ask = &answering->ask[i];

		if (!ask->serial || ask->answered || !ask->prepare_ms)
			continue;
		if (ask->prepare_ms <= late && !hold_elsewhere(cx, ask))
			answer(cx, ask, ANSWER_FULL);
		else
			waits = true;
	}
	answering->waits = waits;
	return waits ? ANSWERING_PREPARE_MS / 3 : ANSWERING_MS;
}

/* The relay has invited the device, or has not. */
static void on_invited(struct relay_ctx *cx, const void *arg)
{
	const struct remote_answer *is = arg;
	struct answering_ask *ask =
		answering_find(&data_of(cx)->answering, is->number);

	if (!ask || (is->end == REMOTE_CLOSED && hold_elsewhere(cx, ask)))
		return;
	if (is->end == REMOTE_ABSENT)
		claims_missed(data_of(cx)->claims, ask->ask.target);
	if (is->end == REMOTE_INVITED) {
		memcpy(ask->answer.key[0], is->key, MESSAGE_ID);
		ask->answer.v4 = data_of(cx)->self.v4;
		ask->answer.v6 = data_of(cx)->self.v6;
	}
	answer(cx, ask, end_of(is->end));
}

/* The same, but the session is held by another node. */
static void on_invited_elsewhere(struct relay_ctx *cx, const void *arg)
{
	const struct remote_answer *is = arg;
	struct answering_ask *ask =
		answering_find(&data_of(cx)->answering, is->number);

	if (ask)
		answer(cx, ask, end_of(is->end));
}

void answering_ask(struct relay_ctx *cx, const struct message *in)
{
	struct data *data = data_of(cx);
	struct answering_ask *ask = NULL;
	struct remote_ask remote;
	bool is_again = false;

	if (data->remote)
		ask = answering_take(
			&data->answering, in, relay_now_ms(cx), &is_again);
	if (!ask) {
		refuse(cx, in, MESSAGE_ANSWER, ANSWER_FULL);
		return;
	}
	/* Its answer was lost, or is on its way. */
	if (is_again) {
		if (ask->answered)
			tell_asker(cx, ask);
		return;
	}
	if ((data->self.state != NODE_OPEN ||
		    nodes_above_share(data->nodes, &data->self, SHARE_PERCENT,
			    relay_now_ms(cx))) &&
		claims_has(data->claims, in->ask.target) &&
		hold_elsewhere(cx, ask))
		return;
	remote_of(&in->ask, ask->serial, &remote);
	if (data->remote->invite(data->relay, cx, on_invited, &remote) != 0)
		answer(cx, ask, ANSWER_ERROR);
}

bool answering_own(struct relay_ctx *cx, const struct message_ask *in)
{
	struct data *data = data_of(cx);
	const struct message own = {
		.type = MESSAGE_ASK, .from = data->seal.self, .ask = *in};
	struct answering_ask *ask = NULL;
	bool is_again = false;

	if (data->remote && relay_closed() &&
		claims_has(data->claims, in->target))
		ask = answering_take(
			&data->answering, &own, relay_now_ms(cx), &is_again);
	if (!ask || is_again)
		return ask;
	if (hold_elsewhere(cx, ask))
		return true;
	ask->serial = 0;
	return false;
}

/* Another node asks this one to hold a session of its device. */
void answering_prepare(struct relay_ctx *cx, const struct message *in)
{
	struct data *data = data_of(cx);
	struct message_answer is = {.number = in->ask.number,
		.v4 = data->self.v4,
		.v6 = data->self.v6};
	struct remote_ask remote;

	if (!data->remote || relay_closed()) {
		refuse(cx, in, MESSAGE_PREPARED, ANSWER_FULL);
		return;
	}
	remote_of(&in->ask, in->ask.number, &remote);
	is.end = end_of(data->remote->prepare(data->relay, &remote, is.key));
	send_answer(cx, in->from, MESSAGE_PREPARED, &is);
}

/* The other node holds it: the device is invited there. */
void answering_prepared(struct relay_ctx *cx, const struct message *in)
{
	struct data *data = data_of(cx);
	struct answering_ask *ask =
		answering_find(&data->answering, in->answer.number);
	struct remote_ask remote;
	struct relay_found found[2];

	/* One that was too late has found another in its place. */
	if (!ask || !data->remote || ask->holder != in->from)
		return;
	if (in->answer.end != ANSWER_INVITED) {
		if (!hold_elsewhere(cx, ask))
			answer(cx, ask, in->answer.end);
		return;
	}
	ask->prepare_ms = 0;
	ask->answer = in->answer;
	place_fill(&in->answer.v4, in->answer.key[1], &found[0]);
	place_fill(&in->answer.v6, in->answer.key[1], &found[1]);
	remote_of(&ask->ask, ask->serial, &remote);
	if (data->remote->invite_elsewhere(
		    data->relay, cx, on_invited_elsewhere, &remote, found) != 0)
		answer(cx, ask, ANSWER_ERROR);
}
