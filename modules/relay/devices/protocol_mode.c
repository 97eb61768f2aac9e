/* SPDX-License-Identifier: MPL-2.0 */

#include <string.h>

#include "relay/data.h"
#include "relay/devices/challenge.h"
#include "relay/devices/device.h"
#include "relay/devices/protocol_mode.h"
#include "relay/messages/peer_connection.h"
#include "relay/metrics_table.h"
#include "relay/remote/remote_probe.h"
#include "relay/requests/parked_ask.h"
#include "relay/requests/request.h"
#include "relay/sessions/waiting_half.h"

void protocol_opened(struct relay_ctx *cx, struct relay_conn *conn)
{
	struct peer *peer = peer_of(cx, conn);

	peer->state = PEER_ASKING;
	peer->heard_ms = relay_now_ms(cx);
	device_set_deadline(cx, conn);
}

/* Whether the token is good for the listener at which the device came in.
 * Without a token to compare with, nobody comes in at a private one. */
static bool knows_secret(struct relay_ctx *cx, struct relay_conn *conn,
	const struct frame_bytes *token)
{
	bool needed = relay_conn_private(conn);
	struct peer *peer = peer_of(cx, conn);

	struct relay_data *data = data_of(cx);
	struct join_token secret;

	pthread_mutex_lock(&data->lock);
	secret = data->secret;
	pthread_mutex_unlock(&data->lock);
	peer->proved = secret.set &&
		       join_token_matches(&secret, token->data, token->len);
	needed |= secret.set && conf_of(cx)->token_at == TOKEN_EVERYWHERE;
	return peer->proved || !needed;
}

/* The token as a string, for filters; a token with NUL bytes is invalid. */
static void token_text(
	const struct frame_bytes *token, char text[FRAME_TOKEN_MAX + 1])
{
	if (token->len)
		memcpy(text, token->data, token->len);
	text[token->len] = '\0';
	if (strlen(text) != token->len)
		text[0] = '\0';
}

static void tell_closed(struct relay_ctx *cx)
{
	static struct relay_log_kind kind;
	const char *why = relay_closed();

	if (why)
		relay_log_seldom(cx, RELAY_NOTICE, &kind,
			"new devices are sent away: the server is closed (%s)",
			why);
}

/* The result to count if there is no room for new devices; else OK.  `all` and
 * `here`: the server is full, or it or the listener is. */
static unsigned room(struct relay_ctx *cx, bool all, bool here)
{
	if (relay_closed())
		return RESULT_CLOSED;
	if (!here)
		return RESULT_OK;
	peer_bound(cx, all ? BOUND_CONNECTIONS : BOUND_LISTENER);
	return all ? RESULT_FULL : RESULT_LISTENER_FULL;
}

static bool denied(
	struct relay_ctx *cx, struct relay_conn *conn, struct relay_denial *why)
{
	count(cx, METRIC_JOINS, RESULT_REFUSED);
	peer_refuse(cx, conn, why);
	return false;
}

/* What was sent is not logged: it may be nearly right. */
static void tell_wrong_token(struct relay_ctx *cx, const char *how)
{
	relay_log_seldom(cx, RELAY_WARNING, &data_of(cx)->bounds[BOUND_TOKEN],
		"a join with %s token was refused", how);
}

static bool has_room(struct relay_ctx *cx, struct relay_conn *conn)
{
	unsigned result = room(cx, relay_at_limit(), relay_conn_at_limit(conn));

	if (result == RESULT_OK)
		return true;
	count(cx, METRIC_JOINS, result);
	tell_closed(cx);
	peer_send_away(cx, conn);
	return false;
}

/*
 * Checks in the order of the protocol, except that the rate limit comes first.
 * True: continue with the modules' rules.
 */
static bool may_ask_modules(struct relay_ctx *cx, struct relay_conn *conn,
	const struct frame_bytes *token)
{
	struct relay_denial why = {RELAY_REFUSE_POLICY, "refused"};

	if (relay_ask_try(cx, conn, RELAY_TRY_JOIN, &why) != RELAY_PASS)
		return denied(cx, conn, &why);
	if (knows_secret(cx, conn, token))
		return has_room(cx, conn);
	relay_tell_failed(cx, conn, RELAY_TRY_JOIN);
	count(cx, METRIC_JOINS, RESULT_WRONG_TOKEN);
	tell_wrong_token(cx, "a wrong");
	peer_log(cx, conn, "refused: wrong token");
	peer_respond(cx, conn, FRAME_WRONG_TOKEN);
	return false;
}

static bool enter(struct relay_ctx *cx, struct relay_conn *conn)
{
	const uint8_t *id = relay_conn_peer(conn);
	struct peer *peer = peer_of(cx, conn);
	struct place owner, self = place_of(cx, conn);
	struct source source;

	if (peer->state != PEER_ASKING) {
		count(cx, METRIC_JOINS, RESULT_ALREADY_JOINED);
		peer_respond(cx, conn, FRAME_ALREADY_CONNECTED);
		return false;
	}
	source_of(conn, &source);
	self.proved = peer->proved;
	switch (directory_join(
		&data_of(cx)->directory, id, self, source.key[0], &owner)) {
	case DIRECTORY_JOINED:
		device_joined(cx, conn);
		break;
	case DIRECTORY_CHALLENGED:
		peer->state = PEER_WAITING;
		device_set_deadline(cx, conn);
		challenge_begin(cx, id, owner);
		break;
	case DIRECTORY_TAKEN:
		count(cx, METRIC_JOINS, RESULT_ALREADY_JOINED);
		peer_respond(cx, conn, FRAME_ALREADY_CONNECTED);
		break;
	case DIRECTORY_NO_MEMORY:
		count(cx, METRIC_JOINS, RESULT_ERROR);
		peer_close(cx, conn, RELAY_END_ERROR);
		break;
	}
	return peer->state != PEER_GONE;
}

/* What the modules have decided. */
static bool join_decided(struct relay_ctx *cx, struct relay_conn *conn,
	struct relay_decision *is)
{
	if (is->verdict == RELAY_PASS)
		return enter(cx, conn);
	/* Another module has tokens of its own: guesses of them count, too. */
	if (is->why.refusal == RELAY_REFUSE_SECRET) {
		relay_tell_failed(cx, conn, RELAY_TRY_JOIN);
		tell_wrong_token(cx, strcmp(is->why.word, "expired")
					     ? "a wrong"
					     : "an expired");
	}
	return denied(cx, conn, &is->why);
}

/* Meanwhile the server may have become full, or drain. */
static void join_decided_late(struct relay_ctx *cx, struct relay_conn *conn,
	const uint8_t *target, const struct relay_decision *decision)
{
	struct relay_decision is = *decision;

	(void)target;
	peer_of(cx, conn)->deciding = false;
	if (is.verdict == RELAY_PASS && !has_room(cx, conn))
		return;
	if (join_decided(cx, conn, &is))
		relay_conn_again(conn);
}

static bool join(struct relay_ctx *cx, struct relay_conn *conn,
	const struct frame_bytes *token)
{
	char text[FRAME_TOKEN_MAX + 1];
	struct relay_decision is;

	if (!may_ask_modules(cx, conn, token))
		return false;
	token_text(token, text);
	if (relay_ask_join_wait(cx, conn, text, &is, join_decided_late) !=
		RELAY_WAIT)
		return join_decided(cx, conn, &is);
	peer_of(cx, conn)->deciding = true;
	parked_ask_expect(cx, relay_conn_peer(conn));
	return false;
}

static bool message(struct relay_ctx *cx, struct relay_conn *conn,
	const struct frame_header *header, const uint8_t *body)
{
	struct peer *peer = peer_of(cx, conn);
	struct frame_bytes bytes = {NULL, 0};

	if (!peer_may_say(cx, conn, header->type))
		return false;
	if (peer->probe_ms)
		challenge_answered(cx, conn);
	if (peer->probed)
		remote_probe_answered(cx, conn);
	switch (header->type) {
	case FRAME_PING:
		peer_pong(cx, conn);
		return true;
	case FRAME_PONG:
		return true;
	case FRAME_JOIN_RELAY:
		frame_read_join_relay(body, header->length, &bytes);
		return join(cx, conn, &bytes);
	case FRAME_CONNECT:
		frame_read_connect(body, header->length, &bytes);
		request_connect(cx, conn, &bytes);
		return false;
	default:
		peer_unexpected(cx, conn, header->type);
		return false;
	}
}

void protocol_readable(struct relay_ctx *cx, struct relay_conn *conn)
{
	if (!peer_of(cx, conn)->deciding)
		peer_read(cx, conn, message);
}

/* A device may finish its session. */
static bool may_stay(struct relay_ctx *cx, struct relay_conn *conn)
{
	struct relay_denial why = {RELAY_REFUSE_POLICY, "refused"};

	if (directory_busy(&data_of(cx)->directory, relay_conn_peer(conn)))
		return true;
	if (room(cx, relay_over_limit(), relay_conn_over_limit(conn)) !=
		RESULT_OK)
		return false;
	if (relay_ask_stay(cx, conn, &why) == RELAY_PASS)
		return true;
	peer_log(cx, conn, why.word);
	return false;
}

static void ping(
	struct relay_ctx *cx, struct relay_conn *conn, struct peer *peer)
{
	if (!may_stay(cx, conn)) {
		/*
		 * Sends RelayFull: joined clients understand no other message
		 * that ends the connection.
		 */
		peer_send_away(cx, conn);
		return;
	}
	peer->ping_ms = relay_now_ms(cx) + conf_of(cx)->ping_interval_ms;
	if (peer_ping(cx, conn))
		device_set_deadline(cx, conn);
}

void protocol_deadline(struct relay_ctx *cx, struct relay_conn *conn)
{
	const struct relay_conf *conf = conf_of(cx);
	struct peer *peer = peer_of(cx, conn);
	int64_t now = relay_now_ms(cx);

	/* It is not heard meanwhile; the decision has a time limit of its own.
	 */
	if (peer->parked)
		parked_ask_due(cx, conn);
	if (peer->deciding || peer->state == PEER_GONE)
		return;
	if (now >= peer->heard_ms + conf->network_timeout_ms) {
		peer_log(cx, conn, "silent for too long");
		peer_close(cx, conn, RELAY_END_TIMEOUT);
	} else if (peer->state == PEER_ASKING &&
		   (now >= peer->opened_ms + conf->ping_interval_ms ||
			   (!peer->spoke &&
				   now >= peer->opened_ms +
						   conf->message_timeout_ms))) {
		peer_log(cx, conn, "did not join in time");
		peer_close(cx, conn, RELAY_END_TIMEOUT);
	} else if (peer->state == PEER_JOINED && peer->probe_ms &&
		   now >= peer->probe_ms) {
		count(cx, METRIC_REPLACED, 0);
		peer_log(cx, conn, "replaced by a newer connection");
		peer_close(cx, conn, RELAY_END_REPLACED);
	} else if (peer->state == PEER_JOINED && now >= peer->ping_ms) {
		ping(cx, conn, peer);
	} else {
		device_set_deadline(cx, conn);
	}
}

/*
 * A device that was silent as the old timeouts allowed is not late under the
 * new ones: it gets a ping, and then the time of the new timeouts.
 */
void protocol_reload(struct relay_ctx *cx, struct relay_conn *conn)
{
	struct peer *peer = peer_of(cx, conn);

	if (peer->deciding)
		return;
	peer->heard_ms = relay_now_ms(cx);
	if (peer->ping_ms > peer->heard_ms + conf_of(cx)->ping_interval_ms)
		peer->ping_ms = peer->heard_ms + conf_of(cx)->ping_interval_ms;
	device_set_deadline(cx, conn);
}

/* Runs on the session's worker: a device of the session has disconnected. */
static void on_device_lost(
	struct relay_ctx *cx, struct relay_session *session, const void *arg)
{
	(void)cx;
	(void)arg;
	if (session)
		relay_session_close(session, RELAY_END_PEER_LOST);
}

static void drop_session(uint64_t session, void *arg)
{
	struct relay_ctx *cx = arg;

	/* If memory is short, the session ends by its idle timeout. */
	(void)relay_session_post(cx, session, on_device_lost, NULL, 0);
}

/* It may be the owner and not have been told yet. */
static void tell_left(struct relay_ctx *cx, struct relay_conn *conn)
{
	if (peer_of(cx, conn)->state == PEER_WAITING)
		relay_tell_joined(cx, conn);
	relay_tell_left(cx, conn);
}

void protocol_closed(
	struct relay_ctx *cx, struct relay_conn *conn, enum relay_reason reason)
{
	struct relay_data *data = data_of(cx);
	struct peer *peer = peer_of(cx, conn);
	const uint8_t *id = relay_conn_peer(conn);
	struct place successor, lost;
	bool owned;

	parked_ask_closed(cx, conn);
	remote_probe_closed(cx, conn);
	if (peer->state != PEER_JOINED && peer->state != PEER_WAITING)
		return;
	if (peer->state == PEER_JOINED) {
		relay_metric_inc(cx, data->metrics[METRIC_DEVICES], 0, -1);
		/*
		 * When the server stops, sessions deliver their pending data.
		 */
		if (!peer->keeps_sessions && reason != RELAY_END_STOP)
			directory_each_ending(
				&data->directory, id, drop_session, cx);
		peer_log(cx, conn, "left");
	}
	/* Before it has left: a request that does not find it waits for it. */
	parked_ask_expect(cx, id);
	successor = directory_leave(
		&data->directory, id, place_of(cx, conn), &owned);
	/* Only now: who looks there afterwards does not find it any more. */
	if (owned)
		tell_left(cx, conn);
	if (successor.conn)
		challenge_won(cx, id, successor);
	while (peer->state == PEER_JOINED && !successor.conn &&
		pending_give_up(&data->pending, id, relay_now_ms(cx), &lost))
		waiting_half_close(cx, lost);
}
