/* SPDX-License-Identifier: MPL-2.0 */

#include <string.h>

#include "relay/data.h"
#include "relay/events.h"
#include "relay/messages/peer_connection.h"
#include "relay/metrics_table.h"
#include "relay/requests/invitations.h"
#include "relay/requests/request.h"
#include "relay/sessions/waiting_half.h"
#include "shared/exempt.h"

/* True: the session is pending, and its keys are in key[]. */
static bool remember(struct relay_ctx *cx, struct relay_conn *conn,
	const uint8_t *target, uint8_t key[2][ID_LEN])
{
	int64_t now = relay_now_ms(cx);
	enum pending_room room;
	struct source source;
	struct place lost[2];

	pthread_mutex_lock(&data_of(cx)->lock);
	exempt_source(&data_of(cx)->exempt, conn, &source);
	pthread_mutex_unlock(&data_of(cx)->lock);
	room = pending_add(&data_of(cx)->pending, relay_conn_peer(conn), target,
		&source, now + conf_of(cx)->message_timeout_ms, now, key, lost);
	waiting_half_close(cx, lost[0]);
	waiting_half_close(cx, lost[1]);
	if (room == PENDING_ROOM)
		return true;
	if (room == PENDING_NO_MEMORY) {
		count(cx, METRIC_CONNECTS, RESULT_ERROR);
		peer_respond(cx, conn, FRAME_NOT_FOUND);
		return false;
	}
	peer_bound(cx, BOUND_PENDING);
	if (pending_added(room)) {
		count(cx, METRIC_GIVEN_UP, room - PENDING_MADE_ROOM);
		return true;
	}
	count(cx, METRIC_CONNECTS, RESULT_FULL);
	peer_log(cx, conn, "refused: too many pending sessions");
	peer_respond(cx, conn, FRAME_NOT_FOUND);
	return false;
}

/* A request carries no token, but a joined device has sent one. */
static bool may_ask(struct relay_ctx *cx, struct relay_conn *conn)
{
	struct place own;

	return conf_of(cx)->asks == ASKS_ANYONE ||
	       directory_find(
		       &data_of(cx)->directory, relay_conn_peer(conn), &own);
}

/* A filter refused.  Clients do not expect RelayFull here. */
static bool denied(
	struct relay_ctx *cx, struct relay_conn *conn, struct relay_denial *why)
{
	count(cx, METRIC_CONNECTS, RESULT_REFUSED);
	if (why->refusal == RELAY_REFUSE_FULL)
		why->refusal = RELAY_REFUSE_ABSENT;
	peer_refuse(cx, conn, why);
	return false;
}

/* The requested device is absent, or the request is not allowed. */
static bool failed(struct relay_ctx *cx, struct relay_conn *conn,
	unsigned result, const char *what)
{
	relay_tell_failed(cx, conn, RELAY_TRY_CONNECT);
	count(cx, METRIC_CONNECTS, result);
	peer_log(cx, conn, what);
	peer_respond(cx, conn, FRAME_NOT_FOUND);
	return false;
}

/* True: the session is pending, and its keys are in key[]. */
static bool may_connect(struct relay_ctx *cx, struct relay_conn *conn,
	const struct frame_bytes *id, struct place *owner,
	uint8_t key[2][ID_LEN])
{
	struct relay_data *data = data_of(cx);
	struct relay_denial why = {RELAY_REFUSE_POLICY, "refused"};

	if (relay_ask_try(cx, conn, RELAY_TRY_CONNECT, &why) != RELAY_PASS)
		return denied(cx, conn, &why);
	if (relay_closed()) {
		count(cx, METRIC_CONNECTS, RESULT_CLOSED);
		peer_log(cx, conn, "refused: the server is closed");
		peer_respond(cx, conn, FRAME_NOT_FOUND);
		return false;
	}
	if (!may_ask(cx, conn))
		return failed(cx, conn, RESULT_NOT_JOINED,
			"refused: requests a device without having joined");
	if (id->len != ID_LEN ||
		!directory_find(&data->directory, id->data, owner))
		return failed(cx, conn, RESULT_NOT_FOUND,
			"requests a device that has not joined");
	if (relay_ask_connect(cx, conn, id->data, &why) != RELAY_PASS)
		return denied(cx, conn, &why);
	return remember(cx, conn, id->data, key);
}

void request_connect(struct relay_ctx *cx, struct relay_conn *conn,
	const struct frame_bytes *id)
{
	const struct place self = place_of(cx, conn);
	uint8_t key[2][ID_LEN];
	struct place owner;

	if (!may_connect(cx, conn, id, &owner, key))
		return;
	count(cx, METRIC_CONNECTS, RESULT_OK);
	if (events_wanted(cx))
		events_conn(cx, conn, "requests a device", NULL, id->data);
	relay_conn_settled(conn);
	/* The requesting connection ends; its device's sessions stay. */
	peer_of(cx, conn)->keeps_sessions = true;
	if (!invitations_send(cx, conn, id->data, key[SIDE_CLIENT], false))
		return;
	/*
	 * A device that requests itself gets both invitations before the close.
	 */
	if (owner.worker == self.worker && owner.conn == self.conn)
		invitations_flush(cx, id->data);
	else
		invitations_dispatch(cx, id->data);
	conn = relay_conn_find(cx, self.conn);
	if (conn && peer_of(cx, conn)->state != PEER_GONE)
		peer_close(cx, conn, RELAY_END_DONE);
}
