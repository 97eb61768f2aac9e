/* SPDX-License-Identifier: MPL-2.0 */

/* Devices that join this node and leave it, and their claims. */

#include <string.h>

#include "cluster/chance.h"
#include "cluster/data.h"
#include "cluster/devices.h"
#include "cluster/recount.h"
#include "cluster/sending.h"
#include "cluster/ticking.h"

/* From a worker to the control thread. */
struct device_news {
	uint8_t id[REGISTRY_ID];
	struct claim_conn conn;
	bool joined;
};

static void joined(
	struct relay_ctx *cx, const uint8_t *id, struct claim_conn conn)
{
	if (claims_joined(data_of(cx)->claims, id, conn, relay_now_ms(cx)) != 0)
		recount_wanted(cx);
}

static void on_news(struct relay_ctx *cx, const void *arg)
{
	const struct device_news *news = arg;

	if (news->joined)
		joined(cx, news->id, news->conn);
	else
		claims_left(data_of(cx)->claims, news->id, news->conn,
			relay_now_ms(cx));
	ticking_soon(cx);
}

static void tell(struct relay_ctx *cx, struct relay_conn *conn, bool is_here)
{
	struct device_news news = {
		.joined = is_here, .conn = {cx->worker, relay_conn_id(conn)}};

	memcpy(news.id, relay_conn_peer(conn), REGISTRY_ID);
	if (relay_post(cx, RELAY_CONTROL, on_news, &news, sizeof(news)) != 0)
		recount_wanted(cx);
}

void devices_joined(struct relay_ctx *cx, struct relay_conn *conn)
{
	tell(cx, conn, true);
}

void devices_left(struct relay_ctx *cx, struct relay_conn *conn)
{
	tell(cx, conn, false);
}

static int claim(void *arg, const uint8_t *id, enum claim_how how,
	uint64_t epoch, uint64_t serial)
{
	struct data *data = data_of(arg);

	return data->known && data->registry ? data->ops->claim(data->registry,
						       id, how, epoch, serial)
					     : -1;
}

static int release(void *arg, const uint8_t *id, uint64_t serial)
{
	struct data *data = data_of(arg);

	return data->known && data->registry
		       ? data->ops->release(data->registry, id, serial)
		       : -1;
}

static void tell_claim(struct relay_ctx *cx, enum message_type type,
	uint64_t to, const uint8_t *id, uint64_t epoch)
{
	struct message out = {.type = type, .claim = {.epoch = epoch}};

	memcpy(out.claim.id, id, MESSAGE_ID);
	send_message(cx, to, &out);
}

static void tell_claimed(
	void *arg, uint64_t incarnation, const uint8_t *id, uint64_t epoch)
{
	tell_claim(arg, MESSAGE_CLAIMED, incarnation, id, epoch);
}

static void tell_alive(
	void *arg, uint64_t incarnation, const uint8_t *id, uint64_t epoch)
{
	tell_claim(arg, MESSAGE_ALIVE, incarnation, id, epoch);
}

static void on_probed(struct relay_ctx *cx, const void *arg)
{
	const struct remote_conn *is = arg;

	claims_probed(data_of(cx)->claims, is->id,
		(struct claim_conn){is->worker, is->conn}, is->alive,
		relay_now_ms(cx));
	ticking_soon(cx);
}

static void name_conn(
	struct remote_conn *out, const uint8_t *id, struct claim_conn conn)
{
	memset(out, 0, sizeof(*out));
	memcpy(out->id, id, REGISTRY_ID);
	out->worker = conn.worker;
	out->conn = conn.conn;
}

static int probe(void *arg, const uint8_t *id, struct claim_conn conn)
{
	struct relay_ctx *cx = arg;
	struct data *data = data_of(cx);
	struct remote_conn is;

	name_conn(&is, id, conn);
	return data->remote
		       ? data->remote->probe(data->relay, cx, on_probed, &is)
		       : -1;
}

static int end(void *arg, const uint8_t *id, struct claim_conn conn)
{
	struct data *data = data_of(arg);
	struct remote_conn is;

	name_conn(&is, id, conn);
	is.alive = true;
	return data->remote ? data->remote->end(data->relay, &is) : 0;
}

/* Its device is not taken from a node that is about to prove that it lives. */
static bool lives(void *arg, uint64_t incarnation)
{
	return nodes_may_live(
		data_of(arg)->nodes, incarnation, relay_now_ms(arg));
}

static uint64_t chance(void *arg)
{
	(void)arg;
	return chance_number();
}

const struct claims_calls devices_calls = {
	.claim = claim,
	.release = release,
	.tell_claimed = tell_claimed,
	.tell_alive = tell_alive,
	.probe = probe,
	.end = end,
	.lives = lives,
	.random = chance,
};
