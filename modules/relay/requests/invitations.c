/* SPDX-License-Identifier: MPL-2.0 */

#include <errno.h>
#include <string.h>

#include "relay/address/told.h"
#include "relay/data.h"
#include "relay/devices/device.h"
#include "relay/messages/peer_connection.h"
#include "relay/metrics_table.h"
#include "relay/requests/invitations.h"
#include "relay/sessions/waiting_half.h"

/* An invitation in transit to the requested device's worker. */
struct invitation {
	uint8_t to[ID_LEN];
	struct place place;
	uint8_t from[ID_LEN];
	uint8_t key[ID_LEN];
	struct relay_found found; /* key_len 0: the session is held here */
};

/* Each once: how clients come in seldom changes. */
static void tell_lost(struct relay_ctx *cx, enum told_lost lost)
{
	static const char *const kinds[] = {
		[TOLD_OUTSIDE] = "from outside",
		[TOLD_INSIDE] = "from this machine's own network, or through a "
				"gateway or proxy there,",
	};

	if (kinds[lost] &&
		!atomic_exchange(&data_of(cx)->told_lost[lost], true))
		relay_log(cx, RELAY_NOTICE,
			"a client that came %s is told a port, but no address: "
			"if it uses an HTTP or SOCKS proxy, it cannot follow "
			"invitations unless ext-address names the address at "
			"which it reaches the relay",
			kinds[lost]);
}

/* If the kernel does not say where the client came in, it is told what the
 * listener is bound to.  0, or -1, logged. */
static int find_told(
	struct relay_ctx *cx, const struct relay_conn *conn, struct told *out)
{
	struct relay_data *data = data_of(cx);
	struct came_in in;

	relay_conn_sockaddr(conn, &in.from);
	if (relay_conn_local(conn, &in.local, &in.listener) != 0) {
		relay_log(cx, RELAY_WARNING,
			"it is unknown where a client came in: %s",
			strerror(errno));
		if (in.listener.ss_family == AF_UNSPEC)
			return -1;
		in.local = in.listener;
	}
	pthread_mutex_lock(&data->lock);
	told_to(&data->advertise, &in, out);
	pthread_mutex_unlock(&data->lock);
	tell_lost(cx, out->lost);
	return 0;
}

static bool send_invitation(struct relay_ctx *cx, struct relay_conn *conn,
	const struct frame_invitation *in)
{
	uint8_t message[FRAME_INVITATION_SIZE];
	size_t len = frame_write_invitation(message, sizeof(message), in);

	count(cx, METRIC_INVITATIONS, 0);
	return peer_send(cx, conn, message, len);
}

/* As invitations_send(); `in` names no address yet. */
static bool send_with_own_address(struct relay_ctx *cx, struct relay_conn *conn,
	struct frame_invitation *in)
{
	struct told told;

	if (find_told(cx, conn, &told) != 0)
		return true; /* it may ask again */
	in->address.data = told.bytes;
	in->address.len = told.len;
	in->port = told.port;
	return send_invitation(cx, conn, in);
}

bool invitations_send(struct relay_ctx *cx, struct relay_conn *conn,
	const uint8_t *from, const uint8_t *key, bool server_socket)
{
	struct frame_invitation in = {.from = {from, ID_LEN},
		.key = {key, ID_LEN},
		.server_socket = server_socket};

	return send_with_own_address(cx, conn, &in);
}

bool invitations_send_found(struct relay_ctx *cx, struct relay_conn *conn,
	const uint8_t *from, const struct relay_found *found,
	bool server_socket)
{
	struct frame_invitation in = {.from = {from, ID_LEN},
		.key = {found->key, found->key_len},
		.address = {found->address, found->address_len},
		.port = found->port,
		.server_socket = server_socket};

	return found->address_len ? send_invitation(cx, conn, &in)
				  : send_with_own_address(cx, conn, &in);
}

static void on_invitation(struct relay_ctx *cx, const void *arg)
{
	const struct invitation *in = arg;
	struct relay_conn *conn = device_owner(cx, in->to, in->place);

	if (conn && in->found.key_len)
		invitations_send_found(cx, conn, in->from, &in->found, true);
	else if (conn)
		invitations_send(cx, conn, in->from, in->key, true);
}

/* The requester must not wait for a device that does not know. */
static void lose(struct relay_ctx *cx, const uint8_t key[ID_LEN])
{
	relay_log(cx, RELAY_ERROR, "no memory for an invitation");
	waiting_half_close(
		cx, pending_lose(&data_of(cx)->pending, key, relay_now_ms(cx)));
}

static void send_it(struct relay_ctx *cx, const uint8_t *target,
	struct place place, const struct action *action, bool at_once)
{
	struct invitation in = {.place = place, .found = action->found};

	memcpy(in.to, target, ID_LEN);
	memcpy(in.from, action->from, ID_LEN);
	memcpy(in.key, action->key, ID_LEN);
	if (at_once && place.worker == cx->worker)
		on_invitation(cx, &in);
	else if (relay_post(cx, place.worker, on_invitation, &in, sizeof(in)) !=
		 0)
		lose(cx, action->key);
}

/*
 * More bytes than a device sends before the requester has proved its identity:
 * the server's first messages in TLS with an RSA certificate and ML-KEM are
 * about 3 KiB.  A device that has sent more has finished that handshake, so
 * this session is not what keeps it from taking the next invitation.  What the
 * requester has sent proves nothing, because it may be a message that never
 * ends.
 */
#define ANSWER_BYTES 4096

static bool has_answered(const struct relay_session *session)
{
	return relay_session_passed(session, SIDE_SERVER) >= ANSWER_BYTES;
}

/* End a session of this device, which was busy for long enough. */
struct slice_over {
	struct place half, previous; /* as in struct action */
	uint64_t serial, previous_serial;
	bool is_previous; /* `half` is of the session before the last */
	uint8_t target[ID_LEN];
};

static relay_conn_post_fn on_slice_over;

/* If memory is short, the sessions end by their timeouts. */
static void tell_slice_over(struct relay_ctx *cx, const struct slice_over *over)
{
	(void)relay_conn_post(
		cx, over->half.conn, on_slice_over, over, sizeof(*over));
}

static void tell_previous(struct relay_ctx *cx, const struct slice_over *over)
{
	struct slice_over previous = {.half = over->previous,
		.serial = over->previous_serial,
		.is_previous = true};

	memcpy(previous.target, over->target, ID_LEN);
	tell_slice_over(cx, &previous);
}

static void end_half(struct relay_ctx *cx, struct relay_conn *conn,
	struct relay_session *session)
{
	count(cx, METRIC_GIVEN_UP, GIVEN_UP_TURN);
	peer_bound(cx, BOUND_SLICE);
	peer_log(cx, conn, "ended: others wait for the device it keeps busy");
	if (session)
		relay_session_close(session, RELAY_END_LIMIT);
	else
		peer_close(cx, conn, RELAY_END_LIMIT);
}

/* Runs on the worker where the half is, maybe with its session. */
static void on_slice_over(
	struct relay_ctx *cx, struct relay_conn *conn, const void *arg)
{
	const struct slice_over *over = arg;
	struct peer *peer = conn ? peer_of(cx, conn) : NULL;
	bool waits = peer && peer->state == PEER_HALF, answered;
	struct relay_session *session = NULL;

	if (peer && peer->state == PEER_PAIRED)
		session = relay_session_find(cx, peer->session);
	answered = session && has_answered(session);
	if ((!waits && !session) || (answered && over->is_previous))
		pending_absolve(&data_of(cx)->pending, over->target,
			over->serial, relay_now_ms(cx));
	else if (session && over->previous.conn && !answered &&
		 relay_session_passed(session, SIDE_SERVER))
		tell_previous(cx, over);
	else if (!answered)
		end_half(cx, conn, session);
}

static void end_slice(struct relay_ctx *cx, const uint8_t *target,
	const struct action *action)
{
	struct slice_over over = {.half = action->half,
		.previous = action->previous,
		.serial = action->serial,
		.previous_serial = action->previous_serial};

	memcpy(over.target, target, ID_LEN);
	if (over.half.conn)
		tell_slice_over(cx, &over);
	else
		tell_previous(cx, &over);
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
	struct place place = {.conn = 0};
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
		waiting_half_close(cx, action.half);
		return true;
	case ACTION_END:
		end_slice(cx, target, &action);
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
	int64_t now = relay_now_ms(cx);
	struct pending_end end = {.serial = data->serial,
		.lasted_ms = now - data->began_ms,
		.answered = has_answered(session)};

	if (!data->serial)
		return;
	for (int side = 0; side < 2; side++) {
		end.id[side] =
			relay_conn_peer(relay_session_side(session, side));
		if (!end.id[side])
			return;
	}
	pending_over(&data_of(cx)->pending, &end, now);
	invitations_dispatch(cx, end.id[SIDE_SERVER]);
}
