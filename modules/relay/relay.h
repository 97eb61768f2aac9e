/* SPDX-License-Identifier: MPL-2.0 */

/*
 * relay.h - what the parts of the relay module share.
 *
 * relay.c        descriptor, options, life, and hooks handed to the parts
 * peer.c         messages read from a connection, answers, the one way to end
 * protocol_mode.c  devices on TLS: join, ping
 * asking.c       devices that ask for others
 * inviting.c     the invitations of those who are asked for, in turn
 * session_mode.c   plain connections: the session's key, the pairing
 * advertise.c    the address that invitations and the URI tell
 * reach.c        how that changes, the URI, and the service for other modules
 * secret.c       the token
 * exempt.c       whose source is not bounded
 * farewell.c     sending devices away while the server drains
 */
#ifndef RELAY_H
#define RELAY_H

#include <stdbool.h>
#include <stdint.h>

#include <strelaysrv/module.h>

#include "access/ranges.h"
#include "advertise.h"
#include "directory.h"
#include "metrics_table.h"
#include "pending.h"
#include "reach.h"
#include "reader.h"
#include "secret.h"

struct relay_conf {
	int64_t network_timeout_ms;
	int64_t ping_interval_ms;
	int64_t message_timeout_ms;
	const char *ext_address;
	int64_t ext_lookup_ms;
	const char *provided_by;
	const char *token;
	const char *token_file;
	int64_t pending_sessions;
	int64_t pending_per_device;
	int64_t pending_per_source;
	int64_t invitations_per_asker;
	int64_t invitations_per_device;
	int64_t messages_per_minute;
	int64_t guest_timeout_ms;
	int64_t asks;
};

/* struct relay_conf, asks: who may ask for a device. */
enum { ASKS_ANYONE, ASKS_JOINED };

/* What keeps one from taking all; said when it is reached. */
enum peer_bound {
	BOUND_CONNECTIONS,
	BOUND_PENDING,
	BOUND_TURN,
	BOUND_QUEUE,
	BOUND_MESSAGES,
	PEER_BOUNDS
};

/* What the options say, made whole before it comes into force.  [C] */
struct relay_next {
	struct secret secret;
	struct ranges exempt; /* owned */
	struct relay_timer *expiry;
};

/* One for all threads. */
struct relay_data {
	struct directory directory;
	struct pending_table pending;
	pthread_mutex_t lock; /* of what follows */
	struct secret secret;
	struct ranges exempt;
	struct advertise advertise;
	struct reach reach; /* of the control thread, and the next */
	struct relay_timer *expiry;
	struct relay_next next;
	struct relay_log_kind bounds[PEER_BOUNDS];
	enum relay_drain drain; /* likewise: what the workers were told */
	/* Constant from init on. */
	struct relay_metric *metrics[RELAY_METRICS];
};

/* Devices that are sent away one after the other. */
struct farewell {
	enum relay_drain how;
	int64_t until_ms;  /* by then all have had their turn */
	uint64_t *devices; /* owned: relay_conn_id() of each */
	size_t count, room;
	size_t next; /* whose turn it is */
	size_t kept; /* of those before, still here: busy */
	struct relay_timer *timer;
};

/* One of each worker. */
struct relay_local {
	struct farewell farewell;
	struct relay_timer *again; /* looks at invitations that wait for time */
};

enum peer_state {
	PEER_NEW,     /* accepted */
	PEER_ASKING,  /* protocol mode, has not joined */
	PEER_WAITING, /* protocol mode, challenges the owner of its ID */
	PEER_JOINED,  /* protocol mode */
	PEER_GUEST,   /* session mode, has not said its key */
	PEER_HALF,    /* session mode, waits for the other side */
	PEER_SECOND,  /* session mode, on its way to the half */
	PEER_PAIRED,  /* session mode, is one side of a session */
	PEER_GONE,    /* closed: not to be touched in this turn */
};

/* A connection's block. */
struct peer {
	uint8_t state;       /* enum peer_state */
	bool spoke;          /* its first message has come */
	bool keeps_sessions; /* its end leaves its device's sessions alone */
	bool waits_aloud;    /* PEER_HALF: has sent something */
	uint8_t pongs;       /* to be sent at the end of the turn */
	uint8_t asked;       /* pings of ours that it has not answered yet */
	struct reader reader;
	int64_t opened_ms;
	int64_t heard_ms; /* when the last message came */
	union {
		struct {                 /* protocol mode */
			int64_t ping_ms; /* when the next ping is due */
			/* Until when it must show life; 0: need not. */
			int64_t probe_ms;
			int64_t said_ms; /* see pace.h */
		};
		uint8_t other_key[ID_LEN]; /* PEER_HALF: names the session */
		struct place half;         /* PEER_SECOND: who waits for it */
		uint64_t session;          /* PEER_PAIRED, the first half */
	};
};

/* A session's block. */
struct meeting {
	struct part part[2];
	int64_t began_ms;
	uint64_t turn; /* see lines.h; 0: has not begun */
};

static inline struct relay_data *data_of(const struct relay_ctx *cx)
{
	return cx->data;
}

static inline const struct relay_conf *conf_of(const struct relay_ctx *cx)
{
	return cx->conf;
}

/* NULL for a connection that this module does not know. */
static inline struct peer *peer_of(
	const struct relay_ctx *cx, const struct relay_conn *conn)
{
	return relay_conn_data(cx, conn);
}

static inline struct place place_of(
	const struct relay_ctx *cx, const struct relay_conn *conn)
{
	return (struct place){cx->worker, relay_conn_id(conn)};
}

void count(const struct relay_ctx *cx, enum relay_metric_index which,
	unsigned value);

/* peer.c */

/* Ends it; afterwards its state is PEER_GONE. */
void peer_close(struct relay_ctx *cx, struct relay_conn *conn,
	enum relay_reason reason);
/* Sends a message; closes it if its queue is full.  False: it is gone. */
bool peer_send(struct relay_ctx *cx, struct relay_conn *conn,
	const uint8_t *message, size_t len);
bool peer_send_empty(
	struct relay_ctx *cx, struct relay_conn *conn, enum frame_type type);
/* Sends a Response; with other than FRAME_SUCCESS the connection ends. */
bool peer_respond(
	struct relay_ctx *cx, struct relay_conn *conn, enum frame_code code);
/* Asks it for a sign of life, which it may answer at no cost. */
bool peer_ping(struct relay_ctx *cx, struct relay_conn *conn);
/* Answers its ping, in one write with the other answers of this turn. */
void peer_pong(struct relay_ctx *cx, struct relay_conn *conn);
/* Says that the relay is full, and ends it. */
void peer_send_away(struct relay_ctx *cx, struct relay_conn *conn);
/* Answers a filter's refusal in the protocol's words, and ends it. */
void peer_refuse(struct relay_ctx *cx, struct relay_conn *conn,
	const struct relay_denial *why);
/* Response 100 for a message that has no place here, and ends it. */
void peer_unexpected(
	struct relay_ctx *cx, struct relay_conn *conn, enum frame_type type);
/* Charges it for a message.  False: it said too much, and is gone. */
bool peer_may_say(
	struct relay_ctx *cx, struct relay_conn *conn, enum frame_type type);
/* Says that a bound was reached, not too often. */
void peer_bound(struct relay_ctx *cx, enum peer_bound bound);
/* Debug: what happened to whom. */
void peer_log(struct relay_ctx *cx, struct relay_conn *conn, const char *what);

/* Handles one message, whose body fits.  False: the connection is gone, or not
 * ours to read. */
typedef bool peer_message_fn(struct relay_ctx *cx, struct relay_conn *conn,
	const struct frame_header *header, const uint8_t *body);
/* Reads messages, with a bound for each turn. */
void peer_read(
	struct relay_ctx *cx, struct relay_conn *conn, peer_message_fn *handle);

/* protocol_mode.c */

void protocol_opened(struct relay_ctx *cx, struct relay_conn *conn);
void protocol_readable(struct relay_ctx *cx, struct relay_conn *conn);
void protocol_deadline(struct relay_ctx *cx, struct relay_conn *conn);
void protocol_reload(struct relay_ctx *cx, struct relay_conn *conn);
void protocol_closed(struct relay_ctx *cx, struct relay_conn *conn,
	enum relay_reason reason);

/* The connection at `place` here that owns the device's ID.  NULL: gone. */
struct relay_conn *protocol_owner(
	struct relay_ctx *cx, const uint8_t *id, struct place place);

/* asking.c */

/* Invites the device of `conn` and the one it asks for, and ends `conn`. */
void asking_connect(struct relay_ctx *cx, struct relay_conn *conn,
	const struct frame_bytes *id);

/* inviting.c */

/* Sends an invitation to a device.  False: its connection is gone. */
bool inviting_send(struct relay_ctx *cx, struct relay_conn *conn,
	const uint8_t *from, const uint8_t *key, bool server_socket);
/* Does what is due for a device that is asked for; to be called whenever
 * anything of it has changed in the table of pending sessions. */
void inviting_deal(struct relay_ctx *cx, const uint8_t *target);
/* Sends all that waits for a device, which is about to leave. */
void inviting_flush(struct relay_ctx *cx, const uint8_t *target);
/* A session has ended. */
void inviting_over(struct relay_ctx *cx, struct relay_session *session,
	const struct meeting *meeting);

/* session_mode.c */

void guest_opened(struct relay_ctx *cx, struct relay_conn *conn);
void guest_readable(struct relay_ctx *cx, struct relay_conn *conn);
void guest_closed(struct relay_ctx *cx, struct relay_conn *conn);
/* Ends a half whose other side cannot come any more; conn 0: none. */
void guest_lose(struct relay_ctx *cx, struct place half);

/* farewell.c*/

/* The hook of that name. */
int64_t farewell_notice(struct relay_ctx *cx, enum relay_drain how);
/* A device has joined all the same. */
void farewell_joined(struct relay_ctx *cx, struct relay_conn *conn);
/* Worker's end. */
void farewell_finish(struct relay_ctx *cx);

#endif
