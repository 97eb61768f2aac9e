/* SPDX-License-Identifier: MPL-2.0 */

#include <string.h>

#include "relay/data.h"
#include "relay/devices/device.h"
#include "relay/metrics_table.h"
#include "relay/requests/parked_ask.h"

static void at_most(int64_t *time, int64_t other)
{
	if (other < *time)
		*time = other;
}

void device_set_deadline(struct relay_ctx *cx, struct relay_conn *conn)
{
	const struct relay_conf *conf = conf_of(cx);
	const struct peer *peer = peer_of(cx, conn);
	int64_t due = peer->heard_ms + conf->network_timeout_ms;
	int64_t now = relay_now_ms(cx);

	if (peer->state == PEER_JOINED)
		at_most(&due, peer->ping_ms);
	if (peer->state == PEER_JOINED && peer->probe_ms)
		at_most(&due, peer->probe_ms);
	if (peer->state == PEER_ASKING)
		at_most(&due, peer->opened_ms + conf->ping_interval_ms);
	if (peer->state == PEER_ASKING && !peer->spoke)
		at_most(&due, peer->opened_ms + conf->message_timeout_ms);
	relay_conn_deadline(conn, due > now ? due - now : 0);
}

struct relay_conn *device_find(struct relay_ctx *cx, const uint8_t *id,
	struct place place, enum peer_state state)
{
	struct relay_conn *conn = relay_conn_find(cx, place.conn);

	if (!conn || !relay_conn_peer(conn) ||
		peer_of(cx, conn)->state != state ||
		memcmp(relay_conn_peer(conn), id, ID_LEN) != 0)
		return NULL;
	return conn;
}

/* A device that joins during a drain is disconnected with the others. */
static void disconnect_in_drain(struct relay_ctx *cx, struct relay_conn *conn)
{
	struct relay_local *local = cx->local;

	/* If memory is short, the end of the drain closes it. */
	if (local->drain_list.how != RELAY_DRAIN_NONE)
		(void)drain_list_add(&local->drain_list, relay_conn_id(conn));
}

void device_joined(struct relay_ctx *cx, struct relay_conn *conn)
{
	struct peer *peer = peer_of(cx, conn);

	peer->state = PEER_JOINED;
	peer->ping_ms = relay_now_ms(cx) + conf_of(cx)->ping_interval_ms;
	peer->heard_ms = relay_now_ms(cx);
	relay_conn_settled(conn);
	count(cx, METRIC_JOINS, RESULT_OK);
	relay_metric_inc(cx, data_of(cx)->metrics[METRIC_DEVICES], 0, 1);
	peer_log(cx, conn, "joined");
	relay_tell_joined(cx, conn);
	disconnect_in_drain(cx, conn);
	if (!peer_respond(cx, conn, FRAME_SUCCESS))
		return;
	device_set_deadline(cx, conn);
	parked_ask_arrived(cx, relay_conn_peer(conn));
}

struct relay_conn *device_owner(
	struct relay_ctx *cx, const uint8_t *id, struct place place)
{
	struct relay_conn *conn = device_find(cx, id, place, PEER_JOINED);

	/* It may not know yet that it is the owner. */
	if (!conn && (conn = device_find(cx, id, place, PEER_WAITING)))
		device_joined(cx, conn);
	return conn;
}
