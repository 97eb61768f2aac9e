/* SPDX-License-Identifier: MPL-2.0 */

/* Devices that ask for others: both are invited to a session. */

#include <string.h>

#include "exempt.h"
#include "relay.h"

/* An invitation on its way to the device that was asked for. */
struct invitation {
	uint8_t to[ID_LEN];
	struct place place;
	uint8_t from[ID_LEN];
	uint8_t key[ID_LEN];
};

static bool invite(struct relay_ctx *cx, struct relay_conn *conn,
	const uint8_t *from, const uint8_t *key, bool server_socket)
{
	struct relay_data *data = data_of(cx);
	uint8_t message[FRAME_INVITATION_SIZE], address[16];
	struct frame_invitation in = {.from = {from, ID_LEN},
		.key = {key, ID_LEN},
		.address = {address, 0},
		.server_socket = server_socket};
	struct sockaddr_storage peer;

	relay_conn_sockaddr(conn, &peer);
	pthread_mutex_lock(&data->lock);
	advertise_to(&data->advertise, peer.ss_family == AF_INET6, address,
		&in.address.len, &in.port);
	pthread_mutex_unlock(&data->lock);
	count(cx, METRIC_INVITATIONS, 0);
	return peer_send(cx, conn, message,
		frame_write_invitation(message, sizeof(message), &in));
}

static void hear_invitation(struct relay_ctx *cx, const void *arg)
{
	const struct invitation *in = arg;
	struct relay_conn *conn = protocol_owner(cx, in->to, in->place);

	if (conn)
		invite(cx, conn, in->from, in->key, true);
}

/* True: the session is pending, and its keys are in key[]. */
static bool remember(struct relay_ctx *cx, struct relay_conn *conn,
	const uint8_t *target, uint8_t key[2][ID_LEN])
{
	int64_t deadline = relay_now_ms(cx) + conf_of(cx)->message_timeout_ms;
	enum pending_room room;
	struct source source;
	struct place lost;

	exempt_source(cx, conn, &source);
	room = pending_add(&data_of(cx)->pending, relay_conn_peer(conn), target,
		&source, deadline, key, &lost);
	guest_lose(cx, lost);
	if (room == PENDING_ROOM)
		return true;
	if (room == PENDING_NO_MEMORY) {
		count(cx, METRIC_CONNECTS, RESULT_ERROR);
		peer_respond(cx, conn, FRAME_NOT_FOUND);
		return false;
	}
	peer_bound(cx, BOUND_PENDING);
	if (pending_added(room)) {
		count(cx, METRIC_GIVEN_UP,
			room == PENDING_MADE_ROOM ? GIVEN_UP_ALL
						  : GIVEN_UP_SOURCE);
		return true;
	}
	count(cx, METRIC_CONNECTS, RESULT_FULL);
	peer_log(cx, conn, "refused: too many pending sessions");
	peer_respond(cx, conn, FRAME_NOT_FOUND);
	return false;
}

/* A request carries no token, but who has joined has brought one. */
static bool may_ask(struct relay_ctx *cx, struct relay_conn *conn)
{
	struct place own;

	return conf_of(cx)->asks == ASKS_ANYONE ||
	       directory_find(
		       &data_of(cx)->directory, relay_conn_peer(conn), &own);
}

/* True: the session is pending, and its keys are in key[]. */
static bool may_connect(struct relay_ctx *cx, struct relay_conn *conn,
	const struct frame_bytes *id, struct place *owner,
	uint8_t key[2][ID_LEN])
{
	struct relay_data *data = data_of(cx);
	struct relay_denial why = {RELAY_REFUSE_POLICY, "refused"};

	if (relay_closed()) {
		count(cx, METRIC_CONNECTS, RESULT_CLOSED);
		peer_log(cx, conn, "refused: closed to newcomers");
		peer_respond(cx, conn, FRAME_NOT_FOUND);
		return false;
	}
	if (!may_ask(cx, conn)) {
		count(cx, METRIC_CONNECTS, RESULT_NOT_JOINED);
		peer_log(cx, conn, "refused: asks without having joined");
		peer_respond(cx, conn, FRAME_NOT_FOUND);
		return false;
	}
	if (id->len != ID_LEN ||
		!directory_find(&data->directory, id->data, owner)) {
		count(cx, METRIC_CONNECTS, RESULT_NOT_FOUND);
		peer_respond(cx, conn, FRAME_NOT_FOUND);
		return false;
	}
	if (relay_ask_connect(cx, conn, id->data, &why) != RELAY_PASS) {
		count(cx, METRIC_CONNECTS, RESULT_REFUSED);
		/* Clients expect no RelayFull here. */
		if (why.refusal == RELAY_REFUSE_FULL)
			why.refusal = RELAY_REFUSE_ABSENT;
		peer_refuse(cx, conn, &why);
		return false;
	}
	return remember(cx, conn, id->data, key);
}

void asking_connect(struct relay_ctx *cx, struct relay_conn *conn,
	const struct frame_bytes *id)
{
	struct invitation in;
	uint8_t key[2][ID_LEN];

	if (!may_connect(cx, conn, id, &in.place, key))
		return;
	count(cx, METRIC_CONNECTS, RESULT_OK);
	/* Who asked leaves, and takes nothing with it. */
	peer_of(cx, conn)->keeps_sessions = true;
	if (!invite(cx, conn, id->data, key[SIDE_CLIENT], false))
		return;
	if (in.place.conn == relay_conn_id(conn) &&
		in.place.worker == cx->worker) {
		/* For itself: it must hear of both before it is closed. */
		if (!invite(cx, conn, id->data, key[SIDE_SERVER], true))
			return;
	} else {
		memcpy(in.to, id->data, ID_LEN);
		memcpy(in.from, relay_conn_peer(conn), ID_LEN);
		memcpy(in.key, key[SIDE_SERVER], ID_LEN);
		if (relay_post(cx, in.place.worker, hear_invitation, &in,
			    sizeof(in)) != 0)
			relay_log(
				cx, RELAY_ERROR, "no memory for an invitation");
	}
	peer_close(cx, conn, RELAY_END_DONE);
}
