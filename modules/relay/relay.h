/* SPDX-License-Identifier: MPL-2.0 */

/*
 * relay.h - declarations shared by the module's files.
 *
 * relay.c      the descriptor, the options, and the hooks
 * messages/    encoding, reading and answering messages
 * devices/     protocol mode: devices join, are pinged, and are disconnected
 * requests/    requests for a device: invitations, and their limits
 * sessions/    session mode: a session's key pairs two plain connections
 * address/     the address that clients are told, the URI, and their changes
 */
#ifndef RELAY_H
#define RELAY_H

#include <stdbool.h>
#include <stdint.h>

#include <strelaysrv/module.h>

#include "shared/ranges.h"
#include "shared/source.h"
#include "relay/address/advertise.h"
#include "relay/devices/directory.h"
#include "relay/metrics_table.h"
#include "relay/requests/pending.h"
#include "relay/requests/queue_scan.h"
#include "relay/address/own_address.h"
#include "relay/messages/reader.h"
#include "relay/devices/secret.h"

struct relay_conf {
	int64_t network_timeout_ms;
	int64_t ping_interval_ms;
	int64_t message_timeout_ms;
	const char *ext_address;
	int64_t ext_lookup_ms;
	const char *ext_status;
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

/* Limits that are logged when they are reached. */
enum peer_bound {
	BOUND_CONNECTIONS,
	BOUND_PENDING,
	BOUND_SLICE,
	BOUND_QUEUE,
	BOUND_MESSAGES,
	BOUND_TOKEN, /* its text has an address */
	PEER_BOUNDS
};

/* What the options say, made whole before it comes into force.  [C] */
struct relay_next {
	struct secret secret;
	struct ranges exempt; /* owned */
	struct relay_timer *expiry;
};

/* Shared by all threads. */
struct relay_data {
	struct directory directory;
	struct pending_table pending;
	pthread_mutex_t lock; /* guards the following members */
	struct secret secret;
	struct ranges exempt;
	struct advertise advertise;
	struct own_address own_address; /* control thread only, like the next */
	struct relay_timer *expiry;
	struct relay_next next;
	struct relay_log_kind bounds[PEER_BOUNDS];
	enum relay_drain drain; /* the state that the workers were told */
	/* Constant from init on. */
	struct relay_metric *metrics[RELAY_METRICS];
};

/* Devices to be disconnected, one after the other. */
struct device_drain {
	enum relay_drain how;
	int64_t until_ms;  /* when all shall be done */
	uint64_t *devices; /* owned: relay_conn_id() of each */
	size_t count, room;
	size_t next; /* index of the next one */
	size_t kept; /* number before `next` that stay, because they are busy */
	struct relay_timer *timer;
};

/* Data of each worker. */
struct relay_local {
	struct device_drain device_drain;
	struct relay_timer *again; /* checks invitations that wait for a time */
	struct queue_scan scan;    /* how far it has come */
};

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
	bool waits_aloud;    /* PEER_HALF: has sent data */
	uint8_t pongs;       /* to be sent together, see peer_pong() */
	uint8_t asked;       /* our pings that it has not answered yet */
	struct reader reader;
	int64_t opened_ms;
	int64_t heard_ms; /* time of the last message */
	union {
		struct {                 /* protocol mode */
			int64_t ping_ms; /* time of the next ping */
			/* Deadline to show that it is alive; 0: none. */
			int64_t probe_ms;
			int64_t said_ms; /* see pace.h */
		};
		uint8_t other_key[ID_LEN]; /* PEER_HALF: the session */
		struct place half; /* PEER_SECOND: the half that waits for it */
		uint64_t session;  /* PEER_PAIRED, the first half */
	};
};

/* Data of each session. */
struct meeting {
	struct part part[2];
	int64_t began_ms;
	uint64_t serial; /* see queues.h; 0: not begun */
};

static inline struct relay_data *data_of(const struct relay_ctx *cx)
{
	return cx->data;
}

static inline const struct relay_conf *conf_of(const struct relay_ctx *cx)
{
	return cx->conf;
}

/* NULL for a connection that is older than this module. */
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

static inline void source_of(const struct relay_conn *conn, struct source *out)
{
	struct sockaddr_storage from;

	relay_conn_sockaddr(conn, &from);
	source_read(&from, out);
}

void count(const struct relay_ctx *cx, enum relay_metric_index which,
	unsigned value);

/* peer.c */

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

/* protocol_mode.c */

void protocol_opened(struct relay_ctx *cx, struct relay_conn *conn);
void protocol_readable(struct relay_ctx *cx, struct relay_conn *conn);
void protocol_deadline(struct relay_ctx *cx, struct relay_conn *conn);
void protocol_reload(struct relay_ctx *cx, struct relay_conn *conn);
void protocol_closed(struct relay_ctx *cx, struct relay_conn *conn,
	enum relay_reason reason);

/*
 * The connection at `place` on this worker that owns the device's ID.  NULL: it
 * has ended.
 */
struct relay_conn *protocol_owner(
	struct relay_ctx *cx, const uint8_t *id, struct place place);

/* request.c */

/* Invites the device of `conn` and the one it requests, and closes `conn`. */
void request_connect(struct relay_ctx *cx, struct relay_conn *conn,
	const struct frame_bytes *id);

/* invitations.c */

/* Sends an invitation to a device.  False: its connection has ended. */
bool invitations_send(struct relay_ctx *cx, struct relay_conn *conn,
	const uint8_t *from, const uint8_t *key, bool server_socket);
/*
 * Runs the next actions for a requested device.  Call it after each change of
 * the device in the table of pending sessions.
 */
void invitations_dispatch(struct relay_ctx *cx, const uint8_t *target);
/* Sends all waiting invitations to a device that will be disconnected. */
void invitations_flush(struct relay_ctx *cx, const uint8_t *target);
/* A session has ended. */
void invitations_session_over(struct relay_ctx *cx,
	struct relay_session *session, const struct meeting *meeting);

/* session_mode.c */

void guest_opened(struct relay_ctx *cx, struct relay_conn *conn);
void guest_readable(struct relay_ctx *cx, struct relay_conn *conn);
void guest_closed(struct relay_ctx *cx, struct relay_conn *conn);
/* Closes a half whose other side cannot connect any more; conn 0: none. */
void guest_lose(struct relay_ctx *cx, struct place half);

/* device_drain.c*/

/* The hook of that name. */
int64_t device_drain_notice(struct relay_ctx *cx, enum relay_drain how);
/* A device has joined during the drain. */
void device_drain_joined(struct relay_ctx *cx, struct relay_conn *conn);
/* Worker's end. */
void device_drain_finish(struct relay_ctx *cx);

#endif
