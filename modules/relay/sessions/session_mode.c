/* SPDX-License-Identifier: MPL-2.0 */

#include <string.h>

#include "relay/data.h"
#include "relay/events.h"
#include "relay/messages/peer_connection.h"
#include "relay/metrics_table.h"
#include "relay/requests/invitations.h"
#include "relay/sessions/waiting_half.h"
#include "relay/sessions/session_data.h"
#include "relay/sessions/session_mode.h"

void guest_opened(struct relay_ctx *cx, struct relay_conn *conn)
{
	struct peer *peer = peer_of(cx, conn);
	const struct relay_conf *conf = conf_of(cx);
	int64_t most = conf->message_timeout_ms < conf->guest_timeout_ms
			       ? conf->message_timeout_ms
			       : conf->guest_timeout_ms;
	int64_t left = peer->opened_ms + most - relay_now_ms(cx);

	peer->state = PEER_GUEST;
	relay_conn_deadline(conn, left > 0 ? left : 0);
}

static void count_halves(struct relay_ctx *cx, int64_t by)
{
	relay_metric_inc(cx, data_of(cx)->metrics[METRIC_HALVES], 0, by);
}

static int link_side(struct relay_ctx *cx, struct relay_session *session,
	int side, const uint8_t *id)
{
	struct session_data *data = relay_session_data(cx, session);
	struct part *part = &data->part[side];
	struct source source;

	source_of(relay_session_side(session, side), &source);
	memcpy(part->from, source.key[0], ID_LEN);
	part->session = relay_session_id(session);
	return directory_link(&data_of(cx)->directory, part, id);
}

/* Both halves are on this worker; *pair has their device IDs. */
static void pair_up(struct relay_ctx *cx, struct relay_conn *second,
	const struct pending_pair *pair)
{
	struct relay_conn *first = relay_conn_find(cx, pair->half.conn);
	struct relay_conn *by_side[2];
	struct relay_session *session;
	struct session_data *data;

	if (!first || peer_of(cx, first)->state != PEER_HALF) {
		peer_close(cx, second, RELAY_END_PEER_LOST);
		return;
	}
	by_side[pair->half_side] = first;
	by_side[1 - pair->half_side] = second;
	for (int side = 0; side < 2; side++)
		relay_conn_set_peer(by_side[side], pair->id[side]);
	peer_of(cx, first)->state = PEER_PAIRED;
	count_halves(cx, -1);
	peer_of(cx, second)->state = PEER_PAIRED;
	session = relay_session_pair(cx, by_side[SIDE_CLIENT],
		by_side[SIDE_SERVER], conf_of(cx)->network_timeout_ms);
	if (!session)
		return;
	data = relay_session_data(cx, session);
	data->serial = pair->serial;
	peer_of(cx, first)->session = relay_session_id(session);
	for (int side = 0; side < 2; side++)
		if (link_side(cx, session, side, pair->id[side]) != 0) {
			relay_session_close(session, RELAY_END_ERROR);
			return;
		}
	if (events_wanted(cx))
		events_session(cx, session, "session begins", NULL);
}

static void arrived(
	struct relay_ctx *cx, struct relay_conn *conn, const void *arg)
{
	pair_up(cx, conn, arg);
}

/* The old process of an upgrade may have issued this key. */
static bool hand_back(struct relay_ctx *cx, struct relay_conn *conn,
	const struct frame_bytes *key)
{
	uint8_t message[FRAME_OPAQUE_SIZE];
	size_t len = frame_write_join_session(
		message, sizeof(message), key->data, key->len);

	return key->len == ID_LEN &&
	       relay_conn_hand_back(cx, conn, message, len) == 0;
}

static void refuse_key(struct relay_ctx *cx, struct relay_conn *conn)
{
	count(cx, METRIC_SESSION_JOINS, SESSION_UNKNOWN_KEY);
	peer_log(cx, conn, "refused: an unknown session key");
	peer_respond(cx, conn, FRAME_NOT_FOUND);
}

static bool claim(struct relay_ctx *cx, struct relay_conn *conn,
	const struct frame_bytes *key)
{
	struct peer *peer = peer_of(cx, conn);
	enum pending_answer answer = PENDING_UNKNOWN;
	struct pending_pair pair;
	int64_t deadline_ms = 0;

	if (key->len == ID_LEN)
		answer = pending_claim(&data_of(cx)->pending, key->data,
			place_of(cx, conn), relay_now_ms(cx), peer->other_key,
			&deadline_ms, &pair);
	switch (answer) {
	case PENDING_UNKNOWN:
		if (hand_back(cx, conn, key)) {
			count(cx, METRIC_SESSION_JOINS, SESSION_HANDED_BACK);
			break;
		}
		refuse_key(cx, conn);
		break;
	case PENDING_FIRST:
		/* It stays a stranger until its other side comes: anybody gets
		 * any number of keys by requesting a device of their own. */
		count(cx, METRIC_SESSION_JOINS, SESSION_FIRST);
		peer->state = PEER_HALF;
		count_halves(cx, 1);
		relay_conn_deadline(conn, deadline_ms - relay_now_ms(cx));
		peer_respond(cx, conn, FRAME_SUCCESS);
		invitations_dispatch(cx, pair.id[SIDE_SERVER]);
		break;
	case PENDING_SECOND:
		relay_conn_settled(conn);
		count(cx, METRIC_SESSION_JOINS, SESSION_SECOND);
		peer->state = PEER_SECOND;
		peer->half = pair.half;
		/*
		 * The answer must be sent before the other side's first byte.
		 */
		if (!peer_respond(cx, conn, FRAME_SUCCESS))
			break;
		if (pair.half.worker == cx->worker)
			pair_up(cx, conn, &pair);
		else
			relay_conn_move(cx, conn, pair.half.worker, arrived,
				&pair, sizeof(pair));
		invitations_dispatch(cx, pair.id[SIDE_SERVER]);
		break;
	}
	/* No other message may follow. */
	return false;
}

static bool message(struct relay_ctx *cx, struct relay_conn *conn,
	const struct frame_header *header, const uint8_t *body)
{
	struct frame_bytes key = {NULL, 0};

	if (header->type != FRAME_JOIN_SESSION) {
		peer_unexpected(cx, conn, header->type);
		return false;
	}
	frame_read_join_session(body, header->length, &key);
	return claim(cx, conn, &key);
}

void guest_readable(struct relay_ctx *cx, struct relay_conn *conn)
{
	struct peer *peer = peer_of(cx, conn);
	uint8_t target[ID_LEN];

	/*
	 * A half's data stays in its socket until the other side has connected.
	 */
	if (peer->state == PEER_GUEST)
		peer_read(cx, conn, message);
	else if (peer->state == PEER_HALF && !peer->has_data &&
		 pending_spoke(
			 &data_of(cx)->pending, peer->other_key, target)) {
		peer->has_data = true;
		invitations_dispatch(cx, target);
	}
}

void guest_closed(struct relay_ctx *cx, struct relay_conn *conn)
{
	struct peer *peer = peer_of(cx, conn);
	uint8_t target[ID_LEN];

	if (peer->state == PEER_HALF) {
		count_halves(cx, -1);
		if (pending_abandon(&data_of(cx)->pending, peer->other_key,
			    relay_now_ms(cx), target))
			invitations_dispatch(cx, target);
	} else if (peer->state == PEER_SECOND) {
		waiting_half_close(cx, peer->half);
	}
}
