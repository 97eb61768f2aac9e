/* SPDX-License-Identifier: MPL-2.0 */

#include <string.h>

#include "relay/data.h"
#include "relay/events.h"
#include "relay/messages/peer_connection.h"
#include "relay/metrics_table.h"
#include "relay/requests/invitations.h"
#include "relay/requests/parked_ask.h"
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

/* A request carries no token, but a joined device may have sent one. */
static bool may_ask(struct relay_ctx *cx, struct relay_conn *conn)
{
	bool private = relay_conn_private(conn);
	struct place own;

	if (conf_of(cx)->asks == ASKS_ANYONE && !private)
		return true;
	return directory_find(
		       &data_of(cx)->directory, relay_conn_peer(conn), &own) &&
	       (own.proved || !private);
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

static bool is_open(struct relay_ctx *cx, struct relay_conn *conn)
{
	if (!relay_closed())
		return true;
	count(cx, METRIC_CONNECTS, RESULT_CLOSED);
	peer_log(cx, conn, "refused: the server is closed");
	peer_respond(cx, conn, FRAME_NOT_FOUND);
	return false;
}

/* Its session is with a device that is met elsewhere. */
static void send_elsewhere(struct relay_ctx *cx, struct relay_conn *conn,
	const uint8_t *target, const struct relay_found *found)
{
	count(cx, METRIC_CONNECTS, RESULT_FOUND);
	if (events_wanted(cx))
		events_conn(cx, conn, "requests a device", NULL, target);
	relay_conn_settled(conn);
	peer_of(cx, conn)->keeps_sessions = true;
	if (invitations_send_found(cx, conn, target, found, false))
		peer_close(cx, conn, RELAY_END_DONE);
}

static parked_ask_fn waited;

/* It may be just reconnecting.  A request waits once. */
static void absent(
	struct relay_ctx *cx, struct relay_conn *conn, const uint8_t *target)
{
	struct place owner;

	if (!is_open(cx, conn))
		return;
	if (parked_ask_wanted(cx, target) &&
		parked_ask_begin(cx, conn, target, waited)) {
		/* It may have come before it was waited for. */
		if (directory_find(&data_of(cx)->directory, target, &owner))
			parked_ask_now(cx, conn);
		return;
	}
	failed(cx, conn, RESULT_NOT_FOUND,
		"requests a device that has not joined");
}

/* It has waited, and does not wait again. */
static void still_absent(
	struct relay_ctx *cx, struct relay_conn *conn, const uint8_t *target)
{
	(void)target;
	if (is_open(cx, conn))
		failed(cx, conn, RESULT_NOT_FOUND,
			"requests a device that has not joined");
}

/* What modules know of a device that is not here. */
static void search_ended(struct relay_ctx *cx, struct relay_conn *conn,
	const uint8_t *target, const struct relay_decision *is,
	void (*if_nobody)(struct relay_ctx *cx, struct relay_conn *conn,
		const uint8_t *target))
{
	struct relay_denial why = is->why;

	peer_of(cx, conn)->deciding = false;
	if (is->verdict == RELAY_TAKE)
		send_elsewhere(cx, conn, target, &is->found);
	else if (is->verdict == RELAY_PASS)
		if_nobody(cx, conn, target);
	else
		denied(cx, conn, &why);
}

static void search_over(struct relay_ctx *cx, struct relay_conn *conn,
	const uint8_t *target, const struct relay_decision *is)
{
	search_ended(cx, conn, target, is, absent);
}

static void last_search_over(struct relay_ctx *cx, struct relay_conn *conn,
	const uint8_t *target, const struct relay_decision *is)
{
	search_ended(cx, conn, target, is, still_absent);
}

static void search(struct relay_ctx *cx, struct relay_conn *conn,
	const uint8_t *target, relay_decided_fn *over)
{
	struct relay_decision is;

	if (relay_ask_find(cx, conn, target, &is, over) == RELAY_WAIT)
		peer_of(cx, conn)->deciding = true;
	else
		over(cx, conn, target, &is);
}

static void invite(struct relay_ctx *cx, struct relay_conn *conn,
	const uint8_t *target, struct place owner)
{
	const struct place self = place_of(cx, conn);
	uint8_t key[2][ID_LEN];

	if (!remember(cx, conn, target, key))
		return;
	count(cx, METRIC_CONNECTS, RESULT_OK);
	if (events_wanted(cx))
		events_conn(cx, conn, "requests a device", NULL, target);
	relay_conn_settled(conn);
	/* The requesting connection ends; its device's sessions stay. */
	peer_of(cx, conn)->keeps_sessions = true;
	if (!invitations_send(cx, conn, target, key[SIDE_CLIENT], false))
		return;
	/*
	 * A device that requests itself gets both invitations before the close.
	 */
	if (owner.worker == self.worker && owner.conn == self.conn)
		invitations_flush(cx, target);
	else
		invitations_dispatch(cx, target);
	conn = relay_conn_find(cx, self.conn);
	if (conn && peer_of(cx, conn)->state != PEER_GONE)
		peer_close(cx, conn, RELAY_END_DONE);
}

/* The device has come, or the time is over; or it has come to another relay
 * meanwhile. */
static void waited(
	struct relay_ctx *cx, struct relay_conn *conn, const uint8_t *target)
{
	struct place owner;

	if (!relay_closed() &&
		directory_find(&data_of(cx)->directory, target, &owner))
		invite(cx, conn, target, owner);
	else
		search(cx, conn, target, last_search_over);
}

/* What the modules have decided; the device may have come or left meanwhile. If
 * the server is closed, its session may be held elsewhere all the same. */
static void connect_decided(struct relay_ctx *cx, struct relay_conn *conn,
	const uint8_t *target, const struct relay_decision *is)
{
	struct relay_denial why = is->why;
	struct place owner;

	peer_of(cx, conn)->deciding = false;
	if (is->verdict != RELAY_PASS)
		denied(cx, conn, &why);
	else if (!relay_closed() &&
		 directory_find(&data_of(cx)->directory, target, &owner))
		invite(cx, conn, target, owner);
	else
		search(cx, conn, target, search_over);
}

/* Whether to ask the modules' rules. */
static bool may_connect(struct relay_ctx *cx, struct relay_conn *conn,
	const struct frame_bytes *id)
{
	struct relay_denial why = {RELAY_REFUSE_POLICY, "refused"};
	struct place owner;

	if (relay_ask_try(cx, conn, RELAY_TRY_CONNECT, &why) != RELAY_PASS)
		return denied(cx, conn, &why);
	if (!relay_can_find(cx) && !is_open(cx, conn))
		return false;
	if (!may_ask(cx, conn))
		return failed(cx, conn, RESULT_NOT_JOINED,
			"refused: requests a device without having joined");
	if (id->len == ID_LEN && (relay_can_find(cx) ||
					 directory_find(&data_of(cx)->directory,
						 id->data, &owner) ||
					 parked_ask_wanted(cx, id->data)))
		return true;
	return failed(cx, conn, RESULT_NOT_FOUND,
		"requests a device that has not joined");
}

void request_connect(struct relay_ctx *cx, struct relay_conn *conn,
	const struct frame_bytes *id)
{
	struct relay_decision is;

	if (!may_connect(cx, conn, id))
		return;
	if (relay_ask_connect_wait(cx, conn, id->data, &is, connect_decided) ==
		RELAY_WAIT)
		peer_of(cx, conn)->deciding = true;
	else
		connect_decided(cx, conn, id->data, &is);
}
