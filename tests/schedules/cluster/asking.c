/* SPDX-License-Identifier: MPL-2.0 */

/* Who asks for a device through a node that does not have it. */

#include <string.h>

#include "cluster.h"

/* Of a schedule; the ticket's number is the index. */
#define ASKS 20000

static struct asked {
	int sure; /* what must be the end; -1: not known */
	int device;
	int64_t began;
	bool settled;
} asked[ASKS];

void ask_begins(void)
{
	struct event event = event_for(-1, EV_ASK);
	int node = (int)between(0, w.nodes - 1);
	int device = (int)between(0, DEVICES - 1);
	struct relay_ticket ticket = {.number = w.asks + 1};
	struct message_ask ask = {.number = 0};

	if (w.part > 1 || ticket.number == ASKS)
		return;
	at(w.now + between(10, 2000), &event);
	if (node_runs(node) &&
		!claims_has(w.node[node].claims, id_of(device))) {
		w.asks++;
		memcpy(ask.target, id_of(device), sizeof(ask.target));
		asked[w.asks] = (struct asked){
			.sure = w.node[node].server < 0 ? -1
							: is_sure(node, device),
			.device = device,
			.began = w.now};
		event = event_for(node, EV_ASKS_OVER);
		event.a = w.asks;
		at(w.now + ASKED_MS, &event);
		event.what = EV_ASKS_TICK;
		at(w.now + between(1, 20), &event);
		totals.asks++;
		totals.sure += asked[w.asks].sure >= 0;
		asks_begin(w.node[node].asks, &ticket, &ask, w.now);
	}
}

void asks_ticks(int node)
{
	struct event event = event_for(node, EV_ASKS_TICK);
	int64_t next = asks_tick(w.node[node].asks, w.now);

	if (next < 1)
		wrong("a tick of asks that is never over");
	if (asks_count(w.node[node].asks))
		at(w.now + next, &event);
}

void asks_over(const struct event *event)
{
	/* One that hung has all its time limits behind it. */
	if (!asked[event->a].settled &&
		w.now - w.node[event->node].woke > ASKED_MS)
		wrong("an ask of node %d is not settled", event->node);
}

static int on_find(void *arg, uint64_t number, const struct message_ask *ask)
{
	int node = (int)((const struct node *)arg - w.node);

	return registry_ask(node, OP_FIND, ask->target[0], 0, number, 0);
}

static void on_settle(void *arg, const struct relay_ticket *ticket,
	enum asks_end end, const struct message_ask *ask,
	const struct message_answer *answer, int64_t took_ms)
{
	const struct node *node = arg;
	struct asked *is = &asked[ticket->number];

	(void)answer;
	(void)took_ms;
	if (is->settled)
		wrong("an ask is settled twice");
	is->settled = true;
	totals.met += end == ASKS_MET;
	/* Unless something has happened in between. */
	if (node->server < 0 || w.device[is->device].happened >= is->began ||
		is_sure((int)(node - w.node), is->device) != is->sure)
		return;
	if (is->sure == 1 && end != ASKS_MET)
		wrong("device %d is there, and who asks is told: %s",
			ask->target[0], asks_end_word(end));
	if (is->sure == 0 && end != ASKS_NOBODY && end != ASKS_LEFT)
		wrong("device %d is not there, and who asks is told: %s",
			ask->target[0], asks_end_word(end));
}

/* The registry names this node, which does not have it. */
static bool on_ours(void *arg, const struct message_ask *ask)
{
	claims_missed(((struct node *)arg)->claims, ask->target);
	return false;
}

const struct asks_calls asking_calls = {on_find, on_ours, on_settle};

void ask_arrives(const struct event *event)
{
	struct node *n = &w.node[event->node];
	bool is_here = conn_at(event->device, event->node);

	if (!is_here)
		claims_missed(n->claims, id_of(event->device));
	message_send(event->node, OP_ANSWER, event->a, is_here, event->b);
}

void answer_arrives(const struct event *event)
{
	struct message_answer answer = {.number = event->b,
		.end = event->device ? ANSWER_INVITED : ANSWER_ABSENT};

	(void)asks_answered(w.node[event->node].asks, &answer, w.now);
}
