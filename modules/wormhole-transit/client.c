/* SPDX-License-Identifier: MPL-2.0 */

/* A client: its line, why it is refused, its end. */

#include <string.h>

#include "wormhole-transit/client.h"
#include "wormhole-transit/meeting.h"
#include "wormhole-transit/metrics_table.h"
#include "wormhole-transit/refusal.h"

/* Silence after which the kernel finds out whether the peer still exists. */
#define KEEPALIVE_MS 60000

static enum relay_verdict deny(struct relay_ctx *cx, struct relay_conn *conn,
	struct relay_denial *why, enum result result)
{
	client_count(cx, conn, result);
	why->refusal = RELAY_REFUSE_POLICY;
	why->word = result_word(result);
	return RELAY_DENY;
}

/* On a listener of any protocol: by its first byte. */
static bool looks_like_one(
	const struct relay_ctx *cx, const struct relay_conn *conn)
{
	char first;

	return conf_of(cx)->share_listeners && !relay_conn_is_tls(conn) &&
	       relay_conn_peek(conn, &first, 1) == 1 && first == LINE_FIRST;
}

enum relay_verdict client_open(
	struct relay_ctx *cx, struct relay_conn *conn, struct relay_denial *why)
{
	struct client *client = client_of(cx, conn);

	if (!client)
		return RELAY_PASS;
	if (strcmp(relay_conn_protocol(conn), PROTOCOL) != 0 &&
		!looks_like_one(cx, conn))
		return RELAY_PASS;
	if (relay_conn_is_tls(conn))
		return deny(cx, conn, why, RESULT_TLS);
	if (relay_conn_private(conn))
		return deny(cx, conn, why, RESULT_PRIVATE);
	client->state = CLIENT_READING;
	atomic_fetch_add(&data_of(cx)->unfinished, 1);
	relay_conn_keepalive(conn, KEEPALIVE_MS);
	relay_conn_deadline(conn, conf_of(cx)->line_timeout_ms);
	return RELAY_TAKE;
}

static void read_line(struct relay_ctx *cx, struct relay_conn *conn)
{
	struct client *client = client_of(cx, conn);
	struct line line = {.len = 0};
	enum line_state state = LINE_MORE;
	ssize_t got;

	/* With all of its room used, the line is whole or bad. */
	while (state == LINE_MORE) {
		got = relay_conn_read(conn, client->bytes + client->len,
			sizeof(client->bytes) - client->len);
		if (got <= 0)
			return;
		client->len += (uint8_t)got;
		state = line_read(client->bytes, client->len, &line);
	}
	if (state == LINE_BAD)
		client_refuse(cx, conn, RESULT_BAD_HANDSHAKE, "bad handshake\n",
			RELAY_END_PROTOCOL);
	else if (client->len > line.len)
		client_impatient(cx, conn);
	else
		meeting_begin(cx, conn);
}

void client_readable(struct relay_ctx *cx, struct relay_conn *conn)
{
	const struct client *client = client_of(cx, conn);
	char byte;

	if (client->state == CLIENT_READING)
		read_line(cx, conn);
	/* It must be silent until it is answered.  At its end the server closes
	 * it. */
	else if (client->state == CLIENT_WAITING &&
		 relay_conn_read(conn, &byte, 1) > 0)
		client_impatient(cx, conn);
}

void client_deadline(struct relay_ctx *cx, struct relay_conn *conn)
{
	client_refuse(cx, conn,
		client_of(cx, conn)->state == CLIENT_WAITING ? RESULT_EXPIRED
							     : RESULT_SLOW,
		NULL, RELAY_END_TIMEOUT);
}

static enum result result_of(enum relay_reason reason)
{
	switch (reason) {
	case RELAY_END_EOF:
	case RELAY_END_RESET:
	case RELAY_END_PEER_LOST:
		return RESULT_LONELY;
	case RELAY_END_DENIED:
	case RELAY_END_PRESSURE:
		return RESULT_REFUSED;
	case RELAY_END_LIMIT:
		return RESULT_EVICTED;
	case RELAY_END_MOVED:
		return RESULT_MOVED;
	case RELAY_END_STOP:
	case RELAY_END_WITHDRAWN:
		return RESULT_STOPPED;
	default:
		return RESULT_ERROR;
	}
}

void client_close(
	struct relay_ctx *cx, struct relay_conn *conn, enum relay_reason reason)
{
	struct client *client = client_of(cx, conn);
	uint8_t state = client ? client->state : CLIENT_NONE;

	if (state == CLIENT_NONE)
		return;
	client->state = CLIENT_NONE;
	if (state == CLIENT_PAIRED)
		return;
	client_count(cx, conn, result_of(reason));
	atomic_fetch_sub(&data_of(cx)->unfinished, 1);
	if (state == CLIENT_WAITING)
		meeting_forget(cx, client);
	else if (state == CLIENT_MATCHED)
		meeting_failed(cx, client->other);
}
