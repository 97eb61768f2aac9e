/* SPDX-License-Identifier: MPL-2.0 */

/* peer_connection.h - a connection's state: reads its messages, answers, closes
 * it. */
#ifndef PEER_CONNECTION_H
#define PEER_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <strelaysrv/module.h>

#include "relay/data.h"
#include "relay/devices/directory.h"
#include "relay/messages/frame.h"
#include "relay/messages/reader.h"
#include "shared/source.h"

enum peer_state {
	PEER_NEW,     /* accepted */
	PEER_ASKING,  /* protocol mode, has not joined */
	PEER_WAITING, /* protocol mode, waits whether the owner of its ID is
			 alive */
	PEER_JOINED,  /* protocol mode */
	PEER_GUEST,   /* session mode, has not sent its key */
	PEER_HALF,    /* session mode, waits for the other side */
	PEER_SECOND,  /* session mode, being moved to the half's worker */
	PEER_PAIRED,  /* session mode, is one side of a session */
	PEER_GONE,    /* closed: must not be used any more */
};

/* Data of each connection. */
struct peer {
	uint8_t state;       /* enum peer_state */
	bool spoke;          /* its first message has arrived */
	bool keeps_sessions; /* its end does not end its device's sessions */
	bool has_data;       /* PEER_HALF: has sent data */
	uint8_t pongs;       /* to be sent together, see peer_pong() */
	uint8_t asked;       /* our pings that it has not answered yet */
	bool deciding;       /* modules decide: nothing is read meanwhile */
	bool proved;         /* it has sent the right token */
	bool probed;         /* another relay asks for a sign of life */
	struct reader reader;
	/* What to do when a parked request goes on. */
	void (*go_on)(struct relay_ctx *cx, struct relay_conn *conn,
		const uint8_t *target);
	int64_t opened_ms;
	int64_t heard_ms; /* time of the last message */
	union {
		struct {                 /* protocol mode */
			int64_t ping_ms; /* time of the next ping */
			/* Deadline to show that it is alive; 0: none. */
			int64_t probe_ms;
			int64_t said_ms; /* see pace.h */
			/* Its request waits for a device; NULL: none does. */
			struct parked *parked;
		};
		uint8_t other_key[ID_LEN]; /* PEER_HALF: the session */
		struct place half; /* PEER_SECOND: the half that waits for it */
		uint64_t session;  /* PEER_PAIRED, the first half */
	};
};

/* NULL for a connection that is older than this module. */
static inline struct peer *peer_of(
	const struct relay_ctx *cx, const struct relay_conn *conn)
{
	return relay_conn_data(cx, conn);
}

static inline struct place place_of(
	const struct relay_ctx *cx, const struct relay_conn *conn)
{
	return (struct place){
		.worker = cx->worker, .conn = relay_conn_id(conn)};
}

static inline void source_of(const struct relay_conn *conn, struct source *out)
{
	struct sockaddr_storage from;

	relay_conn_sockaddr(conn, &from);
	source_read(&from, out);
}

/* Closes it; its state is then PEER_GONE. */
void peer_close(struct relay_ctx *cx, struct relay_conn *conn,
	enum relay_reason reason);
/*
 * Sends a message; closes the connection if its queue is full.  False: it was
 * closed.
 */
bool peer_send(struct relay_ctx *cx, struct relay_conn *conn,
	const uint8_t *message, size_t len);
bool peer_send_empty(
	struct relay_ctx *cx, struct relay_conn *conn, enum frame_type type);
/* Sends a Response; closes the connection unless it is FRAME_SUCCESS. */
bool peer_respond(
	struct relay_ctx *cx, struct relay_conn *conn, enum frame_code code);
/* Sends a ping; its answer does not count as a message. */
bool peer_ping(struct relay_ctx *cx, struct relay_conn *conn);
/* Answers its ping; the answers to several that arrive together are one
 * write. */
void peer_pong(struct relay_ctx *cx, struct relay_conn *conn);
/* Sends RelayFull and closes it. */
void peer_send_away(struct relay_ctx *cx, struct relay_conn *conn);
/* Sends the protocol's answer to a filter's refusal, and closes it. */
void peer_refuse(struct relay_ctx *cx, struct relay_conn *conn,
	const struct relay_denial *why);
/* Sends Response 100 for a message that is not allowed here, and closes it. */
void peer_unexpected(
	struct relay_ctx *cx, struct relay_conn *conn, enum frame_type type);
/* Counts a message.  False: there were too many, and it was closed. */
bool peer_may_say(
	struct relay_ctx *cx, struct relay_conn *conn, enum frame_type type);
/* Logs that a limit was reached, at a limited rate. */
void peer_bound(struct relay_ctx *cx, enum peer_bound bound);
/* Logs an event of a connection at debug level. */
void peer_log(struct relay_ctx *cx, struct relay_conn *conn, const char *what);

/*
 * Handles one valid message.  False: the connection was closed, or must not be
 * read any more.
 */
typedef bool peer_message_fn(struct relay_ctx *cx, struct relay_conn *conn,
	const struct frame_header *header, const uint8_t *body);
/* Reads messages, up to a limit per loop iteration. */
void peer_read(
	struct relay_ctx *cx, struct relay_conn *conn, peer_message_fn *handle);

#endif
