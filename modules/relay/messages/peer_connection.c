/* SPDX-License-Identifier: MPL-2.0 */

#include "relay/events.h"
#include "relay/messages/peer_connection.h"
#include "relay/metrics_table.h"
#include "shared/pace.h"

/*
 * Limit of messages of one connection in a loop iteration, so that a flood
 * leaves time for others.
 */
#define MESSAGES_PER_ITERATION 32

void peer_log(struct relay_ctx *cx, struct relay_conn *conn, const char *what)
{
	char addr[RELAY_ADDR_TEXT], id[RELAY_DEVICE_ID_TEXT] = "";
	struct relay_field fields[] = {
		{"peer", addr}, {"device", id}, {NULL, NULL}};

	if (events_wanted(cx))
		events_conn(cx, conn, what, NULL, NULL);
	if (!relay_log_wanted(RELAY_DEBUG))
		return;
	relay_conn_addr_text(conn, addr);
	if (relay_conn_peer(conn))
		relay_device_id_format(relay_conn_peer(conn), id);
	else
		fields[1].key = NULL;
	relay_log_fields(cx, RELAY_DEBUG, fields, "%s", what);
}

void peer_bound(struct relay_ctx *cx, enum peer_bound bound)
{
	static const char *const texts[PEER_BOUNDS] = {
		[BOUND_CONNECTIONS] =
			"the bound max-connections was reached: devices get "
			"RelayFull",
		[BOUND_LISTENER] =
			"the bound max-connections of a listener was reached: "
			"devices that come in there get RelayFull",
		[BOUND_PENDING] =
			"a bound on pending sessions was reached: the oldest "
			"session of the source with the most is dropped, or a "
			"request gets \"not found\"",
		[BOUND_SLICE] = "a device was busy with a session that came to "
				"nothing while others waited for it: ended",
		[BOUND_QUEUE] = "a device did not read what it was sent, and "
				"was closed",
		[BOUND_MESSAGES] =
			"the bound messages-per-minute was reached: the "
			"device was closed",
	};

	relay_log_seldom(cx, RELAY_WARNING, &data_of(cx)->bounds[bound], "%s",
		texts[bound]);
}

void peer_close(
	struct relay_ctx *cx, struct relay_conn *conn, enum relay_reason reason)
{
	(void)cx;
	relay_conn_close(conn, reason);
}

static bool write_out(struct relay_ctx *cx, struct relay_conn *conn,
	const uint8_t *message, size_t len)
{
	if (len && relay_conn_write(conn, message, len) == 0)
		return true;
	peer_log(cx, conn, "does not read what it is sent");
	peer_bound(cx, BOUND_QUEUE);
	peer_close(cx, conn, RELAY_END_OVERFLOW);
	return false;
}

static bool send_pongs(struct relay_ctx *cx, struct relay_conn *conn)
{
	struct peer *peer = peer_of(cx, conn);
	uint8_t pongs[MESSAGES_PER_ITERATION * FRAME_EMPTY_SIZE];
	size_t len = 0;

	for (; peer->pongs; peer->pongs--)
		len += frame_write_empty(
			pongs + len, sizeof(pongs) - len, FRAME_PONG);
	return len == 0 || write_out(cx, conn, pongs, len);
}

bool peer_send(struct relay_ctx *cx, struct relay_conn *conn,
	const uint8_t *message, size_t len)
{
	/* Answers are sent in the order of the messages. */
	return send_pongs(cx, conn) && write_out(cx, conn, message, len);
}

bool peer_ping(struct relay_ctx *cx, struct relay_conn *conn)
{
	struct peer *peer = peer_of(cx, conn);

	if (peer->asked < UINT8_MAX)
		peer->asked++;
	count(cx, METRIC_PINGS, 0);
	return peer_send_empty(cx, conn, FRAME_PING);
}

void peer_pong(struct relay_ctx *cx, struct relay_conn *conn)
{
	peer_of(cx, conn)->pongs++;
}

bool peer_send_empty(
	struct relay_ctx *cx, struct relay_conn *conn, enum frame_type type)
{
	uint8_t message[FRAME_EMPTY_SIZE];
	size_t len = frame_write_empty(message, sizeof(message), type);

	return peer_send(cx, conn, message, len);
}

bool peer_respond(
	struct relay_ctx *cx, struct relay_conn *conn, enum frame_code code)
{
	uint8_t message[FRAME_STANDARD_RESPONSE_SIZE];
	size_t len = frame_write_response(
		message, sizeof(message), (int32_t)code, NULL);

	if (!peer_send(cx, conn, message, len))
		return false;
	if (code == FRAME_SUCCESS)
		return true;
	peer_close(cx, conn, RELAY_END_DENIED);
	return false;
}

bool peer_may_say(
	struct relay_ctx *cx, struct relay_conn *conn, enum frame_type type)
{
	struct peer *peer = peer_of(cx, conn);
	int64_t per_minute = conf_of(cx)->messages_per_minute;

	/* Answers to our own pings are not counted. */
	if (type == FRAME_PONG && peer->asked) {
		peer->asked--;
		return true;
	}
	if (pace_spend(&peer->said_ms, per_minute,
		    pace_short_burst_ms(per_minute), relay_now_ms(cx)))
		return true;
	count(cx, METRIC_REJECTED, REJECTED_TOO_MANY);
	peer_log(cx, conn, "sends too many messages");
	peer_bound(cx, BOUND_MESSAGES);
	peer_respond(cx, conn, FRAME_UNEXPECTED);
	return false;
}

void peer_send_away(struct relay_ctx *cx, struct relay_conn *conn)
{
	const char *why = relay_closed() ? "sent away: the server is closed"
					 : "sent away: the relay is full";

	peer_log(cx, conn,
		relay_draining() == RELAY_DRAIN_MOVE
			? "sent away: another process serves"
			: why);
	if (peer_send_empty(cx, conn, FRAME_RELAY_FULL))
		peer_close(cx, conn, RELAY_END_LIMIT);
}

void peer_refuse(struct relay_ctx *cx, struct relay_conn *conn,
	const struct relay_denial *why)
{
	static const enum frame_code codes[] = {
		[RELAY_REFUSE_POLICY] = FRAME_NOT_FOUND,
		[RELAY_REFUSE_ABSENT] = FRAME_NOT_FOUND,
		[RELAY_REFUSE_SECRET] = FRAME_WRONG_TOKEN,
		[RELAY_REFUSE_TAKEN] = FRAME_ALREADY_CONNECTED,
	};

	peer_log(cx, conn, why->word);
	if (why->refusal == RELAY_REFUSE_FULL)
		peer_send_away(cx, conn);
	else
		peer_respond(cx, conn, codes[why->refusal]);
}

void peer_unexpected(
	struct relay_ctx *cx, struct relay_conn *conn, enum frame_type type)
{
	count(cx, METRIC_REJECTED, REJECTED_UNEXPECTED);
	peer_log(cx, conn, frame_type_name((int)type));
	peer_respond(cx, conn, FRAME_UNEXPECTED);
}

static void bad_frame(struct relay_ctx *cx, struct relay_conn *conn, int error)
{
	count(cx, METRIC_REJECTED, (unsigned)error - 1);
	peer_log(cx, conn, frame_error_word(error));
	peer_close(cx, conn, RELAY_END_PROTOCOL);
}

/* An invalid body is a protocol error, even if the message is not expected. */
static int body_error(const struct frame_header *header, const uint8_t *body)
{
	struct frame_invitation invitation;
	struct frame_response response;
	struct frame_bytes bytes;

	switch (header->type) {
	case FRAME_JOIN_RELAY:
		return frame_read_join_relay(body, header->length, &bytes);
	case FRAME_JOIN_SESSION:
		return frame_read_join_session(body, header->length, &bytes);
	case FRAME_CONNECT:
		return frame_read_connect(body, header->length, &bytes);
	case FRAME_RESPONSE:
		return frame_read_response(body, header->length, &response);
	case FRAME_INVITATION:
		return frame_read_invitation(body, header->length, &invitation);
	default: /* no fields */
		return FRAME_OK;
	}
}

void peer_read(
	struct relay_ctx *cx, struct relay_conn *conn, peer_message_fn *handle)
{
	struct peer *peer = peer_of(cx, conn);
	struct frame_header header;
	uint8_t body[FRAME_BODY_MAX];
	int error = FRAME_OK;

	for (int i = 0; i < MESSAGES_PER_ITERATION; i++) {
		enum reader_state state =
			reader_next(&peer->reader, conn, &header, body, &error);

		if (state == READER_MESSAGE)
			error = body_error(&header, body);
		if (error != FRAME_OK)
			state = READER_BAD;
		switch (state) {
		case READER_MESSAGE:
			peer->heard_ms = relay_now_ms(cx);
			peer->spoke = true;
			if (!handle(cx, conn, &header, body))
				return;
			break;
		case READER_BAD:
			if (send_pongs(cx, conn))
				bad_frame(cx, conn, error);
			return;
		case READER_FAILED:
			peer_close(cx, conn, RELAY_END_ERROR);
			return;
		case READER_WAIT:
			send_pongs(cx, conn);
			return;
		case READER_ENDED: /* the server closes the connection */
			return;
		}
	}
	if (send_pongs(cx, conn))
		relay_conn_again(conn);
}
