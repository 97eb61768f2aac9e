/* SPDX-License-Identifier: MPL-2.0 */

/* Requests of this node's clients for devices that are elsewhere. */

#include <string.h>

#include "cluster/answering.h"
#include "cluster/data.h"
#include "cluster/finding.h"
#include "cluster/places.h"
#include "cluster/ticking.h"

/* From a worker to the control thread. */
struct wish {
	struct relay_ticket ticket;
	struct message_ask ask;
};

static void on_wish(struct relay_ctx *cx, const void *arg)
{
	const struct wish *wish = arg;

	asks_begin(
		data_of(cx)->asks, &wish->ticket, &wish->ask, relay_now_ms(cx));
	ticking_soon(cx);
}

enum relay_verdict finding_peer_find(struct relay_ctx *cx,
	struct relay_conn *conn, const uint8_t *target,
	struct relay_found *found, struct relay_denial *why)
{
	struct wish wish = {.ask = {.number = 0}};
	struct sockaddr_storage from;

	(void)found;
	(void)why;
	if (!atomic_load_explicit(
		    &data_of(cx)->reachable, memory_order_relaxed) ||
		!relay_ticket_take(cx, RELAY_PASS, &wish.ticket))
		return RELAY_PASS;
	memcpy(wish.ask.asker, relay_conn_peer(conn), MESSAGE_ID);
	memcpy(wish.ask.target, target, MESSAGE_ID);
	relay_conn_sockaddr(conn, &from);
	place_of_address(&from, &wish.ask.from);
	wish.ask.from.port = 0;
	if (relay_post(cx, RELAY_CONTROL, on_wish, &wish, sizeof(wish)) == 0)
		return RELAY_WAIT;
	relay_log_seldom(cx, RELAY_ERROR, &data_of(cx)->no_ask,
		"no memory to ask other nodes for a device: it is not found");
	return RELAY_PASS;
}

static int find(void *arg, uint64_t number, const struct message_ask *ask)
{
	struct data *data = data_of(arg);
	struct message out = {.type = MESSAGE_ASK, .ask = *ask};
	uint8_t bytes[REGISTRY_MESSAGE];
	size_t len;

	if (!data->known || !data->registry)
		return -1;
	len = seal_close(&data->seal, &out, bytes, sizeof(bytes));
	return len ? data->ops->find(
			     data->registry, ask->target, number, bytes, len)
		   : -1;
}

static bool ours(void *arg, const struct message_ask *ask)
{
	if (answering_own(arg, ask))
		return true;
	/* Else the entry is a stale one. */
	claims_missed(data_of(arg)->claims, ask->target);
	return false;
}

static void settle(void *arg, const struct relay_ticket *ticket,
	enum asks_end end, const struct message_ask *ask,
	const struct message_answer *answer, int64_t took_ms)
{
	struct relay_ctx *cx = arg;
	struct data *data = data_of(cx);
	struct relay_decision is = {.verdict = RELAY_PASS};
	const struct message_place *at;

	if (end == ASKS_MET) {
		at = ask->from.len == 4 ? &answer->v4 : &answer->v6;
		place_fill(at, answer->key[0], &is.found);
		is.verdict = at->len ? RELAY_TAKE : RELAY_PASS;
	} else if (end == ASKS_REFUSED) {
		is.verdict = RELAY_DENY;
		is.why = (struct relay_denial){
			RELAY_REFUSE_POLICY, "refused-elsewhere"};
	}
	/* Its node has just died, or the device has just left it. */
	if ((end == ASKS_LATE || end == ASKS_LEFT) && data->remote)
		data->remote->expect(data->relay, ask->target);
	relay_metric_inc(cx, data->counts[COUNT_ASKS], end, 1);
	relay_metric_observe(cx, data->counts[COUNT_ASK_TIME], 0, took_ms);
	if (relay_settle(cx, ticket, &is) != 0)
		relay_log_seldom(cx, RELAY_ERROR, &data->no_answer,
			"no memory to answer a request for a device elsewhere: "
			"it waits for answer-timeout");
}

const struct asks_calls finding_calls = {
	.find = find, .ours = ours, .settle = settle};
