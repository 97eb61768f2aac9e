/* SPDX-License-Identifier: MPL-2.0 */

#include <string.h>

#include "relay/data.h"
#include "relay/devices/device.h"
#include "relay/messages/peer.h"
#include "relay/metrics_table.h"
#include "relay/requests/invitations.h"
#include "relay/sessions/half.h"

/* An invitation in transit to the requested device's worker. */
struct invitation {
	uint8_t to[ID_LEN];
	struct place place;
	uint8_t from[ID_LEN];
	uint8_t key[ID_LEN];
};

bool invitations_send(struct relay_ctx *cx, struct relay_conn *conn,
	const uint8_t *from, const uint8_t *key, bool server_socket)
{
	struct relay_data *data = data_of(cx);
	uint8_t message[FRAME_INVITATION_SIZE], address[16];
	struct frame_invitation in = {.from = {from, ID_LEN},
		.key = {key, ID_LEN},
		.address = {address, 0},
		.server_socket = server_socket};
	struct sockaddr_storage peer;
	size_t len;

	relay_conn_sockaddr(conn, &peer);
	pthread_mutex_lock(&data->lock);
	advertise_to(&data->advertise, peer.ss_family == AF_INET6, address,
		&in.address.len, &in.port);
	pthread_mutex_unlock(&data->lock);
	count(cx, METRIC_INVITATIONS, 0);
	len = frame_write_invitation(message, sizeof(message), &in);
	return peer_send(cx, conn, message, len);
}

static void on_invitation(struct relay_ctx *cx, const void *arg)
{
	const struct invitation *in = arg;
	struct relay_conn *conn = device_owner(cx, in->to, in->place);

	if (conn)
		invitations_send(cx, conn, in->from, in->key, true);
}

static void send_it(struct relay_ctx *cx, const uint8_t *target,
	struct place place, const struct action *action, bool at_once)
{
	struct invitation in = {.place = place};

	memcpy(in.to, target, ID_LEN);
	memcpy(in.from, action->from, ID_LEN);
	memcpy(in.key, action->key, ID_LEN);
	if (at_once && place.worker == cx->worker)
		on_invitation(cx, &in);
	else if (relay_post(cx, place.worker, on_invitation, &in, sizeof(in)) !=
		 0)
		relay_log(cx, RELAY_ERROR, "no memory for an invitation");
}

/*
 * More bytes than an abandoned handshake.  A session that carries so much is
 * not what keeps the device from taking the next invitation.
 */
#define ALIVE_BYTES     4096
#define ALIVE_BOTH_WAYS 16384

static bool is_alive(const struct relay_session *session)
{
	uint64_t asker = relay_session_passed(session, SIDE_CLIENT);

	return asker >= ALIVE_BYTES ||
	       asker + relay_session_passed(session, SIDE_SERVER) >=
		       ALIVE_BOTH_WAYS;
}

/* End this half's session: the device was busy with it for long enough. */
struct slice_over {
	uint64_t half;
	uint8_t source[ID_LEN]; /* of the requesting device */
};

/* Runs on the half's worker. */
static void on_slice_over(struct relay_ctx *cx, const void *arg)
{
	const struct slice_over *over = arg;
	struct relay_conn *conn = relay_conn_find(cx, over->half);
	struct peer *peer = conn ? peer_of(cx, conn) : NULL;
	struct relay_session *session;

	if (!peer || (peer->state != PEER_HALF && peer->state != PEER_PAIRED))
		return;
	session = peer->state == PEER_PAIRED
			  ? relay_session_find(cx, peer->session)
			  : NULL;
	if (session && is_alive(session))
		return;
	pending_blame(&data_of(cx)->pending, over->source, relay_now_ms(cx));
	count(cx, METRIC_GIVEN_UP, GIVEN_UP_TURN);
	peer_bound(cx, BOUND_SLICE);
	peer_log(cx, conn, "ended: others wait for the device it keeps busy");
	if (peer->state == PEER_HALF) {
		peer_close(cx, conn, RELAY_END_LIMIT);
		return;
	}
	if (session)
		relay_session_close(session, RELAY_END_LIMIT);
}

static void end_slice(struct relay_ctx *cx, const struct action *action)
{
	struct slice_over over = {.half = action->half.conn};

	memcpy(over.source, action->from, ID_LEN);
	/* If memory is short, the session ends by its timeout. */
	relay_post(cx, action->half.worker, on_slice_over, &over, sizeof(over));
}

static unsigned act_until_done(
	struct relay_ctx *cx, const uint8_t *target, bool all);

static unsigned dispatch_active(void *arg, const uint8_t *target)
{
	return act_until_done(arg, target, false);
}

static int64_t look_again(struct relay_ctx *cx, void *arg)
{
	struct relay_local *local = arg;
	int64_t next_ms = scan_step(
		&local->scan, &data_of(cx)->pending, dispatch_active, cx);

	if (!next_ms)
		local->again = NULL;
	return next_ms;
}

static void ensure_timer(struct relay_ctx *cx)
{
	struct relay_local *local = cx->local;

	if (!local->again)
		local->again = relay_timer_add(cx, SCAN_MS, look_again, local);
	if (!local->again)
		relay_log(cx, RELAY_ERROR,
			"no memory for a timer: invitations wait for the next "
			"request");
}

static bool act_once(struct relay_ctx *cx, const uint8_t *target, bool all,
	unsigned *compared)
{
	struct relay_data *data = data_of(cx);
	struct place place = {0, 0};
	struct action action;

	pending_schedule(&data->pending, target,
		directory_find(&data->directory, target, &place), all,
		relay_now_ms(cx), &action);
	*compared += action.compared;
	switch ((enum action_kind)action.kind) {
	case ACTION_NONE:
		return false;
	case ACTION_WAIT:
		ensure_timer(cx);
		return false;
	case ACTION_SEND:
		send_it(cx, target, place, &action, all);
		return true;
	case ACTION_WITHDRAW:
		count(cx, METRIC_GIVEN_UP, GIVEN_UP_TURN);
		half_lose(cx, action.half);
		return true;
	case ACTION_END:
		end_slice(cx, &action);
		return true;
	}
	return false;
}

static unsigned act_until_done(
	struct relay_ctx *cx, const uint8_t *target, bool all)
{
	unsigned compared = 0;

	while (act_once(cx, target, all, &compared))
		;
	return compared;
}

void invitations_dispatch(struct relay_ctx *cx, const uint8_t *target)
{
	(void)act_until_done(cx, target, false);
}

void invitations_flush(struct relay_ctx *cx, const uint8_t *target)
{
	(void)act_until_done(cx, target, true);
}

void invitations_session_over(struct relay_ctx *cx,
	struct relay_session *session, const struct session_data *data)
{
	const uint8_t *id[2];
	int64_t now = relay_now_ms(cx);

	if (!data->serial)
		return;
	for (int side = 0; side < 2; side++)
		id[side] = relay_conn_peer(relay_session_side(session, side));
	if (!id[SIDE_CLIENT] || !id[SIDE_SERVER])
		return;
	pending_over(&data_of(cx)->pending, id[SIDE_CLIENT], id[SIDE_SERVER],
		data->serial, now - data->began_ms, now);
	invitations_dispatch(cx, id[SIDE_SERVER]);
}
