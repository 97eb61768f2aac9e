/* SPDX-License-Identifier: MPL-2.0 */

/*
 * A connection's inside: from accept to the last byte.
 */
#ifndef CONN_H
#define CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <event2/event.h>
#include <event2/event_struct.h>
#include <openssl/ssl.h>

#include <strelaysrv/conn.h>
#include <strelaysrv/device_id.h>

#include "modules/hooks.h"
#include "peers/strangers.h"
#include "peers/worker.h"

struct relay_session;

enum conn_phase {
	CONN_OPENING,   /* its first byte is awaited */
	CONN_HANDSHAKE, /* TLS is being set up */
	CONN_TAKEN,     /* a module speaks for it */
	CONN_MOVING,    /* it goes to another worker when the event is over */
	CONN_PAIRED,    /* it is one side of a session */
	CONN_LINGERING, /* closed to modules; last bytes are on their way */
	CONN_DEAD,      /* waits to be freed */
};

struct conn_queue; /* what the socket did not take yet */
/* What another process read from it; freed when it is empty. */
struct conn_unread {
	size_t at, len;
	unsigned char data[];
};

struct relay_conn {
	struct worker *worker; /* borrowed */
	const struct layout *layout;
	union {
		struct relay_ctx *owner; /* the module that took it, on this
					  * worker; from CONN_TAKEN on */
		int64_t opened_us;       /* CONN_HANDSHAKE: monotonic, of its
					  * begin */
	};
	SSL *ssl;                      /* owned; NULL: plain */
	struct conn_queue *queue;      /* owned; NULL: empty */
	struct conn_unread *unread;    /* owned; NULL: nothing */
	struct relay_session *session; /* borrowed; NULL: not paired */
	struct relay_conn *next;       /* on the worker's list of dead ones */
	struct relay_conn *again_next; /* on the worker's list `again` */
	struct stranger *stranger;     /* owned; NULL: it has settled */
	struct deadline deadline;
	struct event event;
	uint64_t id;
	int fd;           /* owned; -1 once closed */
	uint8_t phase;    /* enum conn_phase */
	uint8_t side;     /* of the session */
	uint8_t certs;    /* that the peer sent; see relay_conn_peer_certs */
	bool again : 1;   /* is on that list */
	bool ended : 1;   /* a read or write failed: close as end_reason */
	bool at_eof : 1;  /* the peer will send nothing more */
	bool spoke : 1;   /* something was written to it */
	bool stalled : 1; /* a read waits until the socket takes bytes */
	bool hung_up : 1; /* the peer's end is in sight, maybe behind bytes */
	bool named : 1;   /* plain, and a module told whose it is */
	bool unread_now : 1; /* its module did not read in this event */
	bool truncated : 1;  /* bytes of its session's other side are lost */
	bool said : 1;       /* its first byte has come */
	bool settled : 1;    /* relay_conn_settled() was called */
	uint8_t end_reason;
	uint8_t close_by; /* enum close_by */
	int owed;         /* CONN_LINGERING: socket_owes() at the last look */
	uint8_t asked;    /* how many modules know it, see hooks.h */
	uint16_t port;
	uint16_t quiet_minute; /* see conn_quiet.h */
	uint8_t quiet;
	uint8_t addr[16]; /* IPv4 as ::ffff:a.b.c.d */
	uint8_t peer[RELAY_DEVICE_ID_LEN];
	_Alignas(max_align_t) unsigned char blocks[]; /* of the modules */
};

/*
 * Takes over an accepted, non-blocking socket.  Closes it when a filter refuses
 * or memory is short.
 */
void conn_accept(
	struct worker *worker, int fd, const struct sockaddr_storage *from);

/* The same, for one from which another process has read these bytes. */
void conn_accept_read(struct worker *worker, int fd,
	const struct sockaddr_storage *from, const void *data, size_t len);

/* Its TLS side, for a call that may read from the socket or write to it. */
SSL *conn_tls(const struct relay_conn *conn);

/* libevent's callback for every connection. */
void conn_event(evutil_socket_t fd, short what, void *arg);
/* Puts its socket on its worker's loop.  0 or -1. */
int conn_watch(struct relay_conn *conn);
/* Looks at its first byte. */
void conn_first_byte(struct relay_conn *conn);
/* The next step of its TLS handshake; makes the TLS side first.  See
 * handshakes.h for when it is called. */
void conn_handshake(struct relay_conn *conn);
/* What the next turn calls for one on the list `again`. */
void conn_run_again(struct relay_conn *conn);

/* Sends what is queued.  1: all gone, 0: not yet, -1: failed. */
int conn_flush(struct relay_conn *conn);

/*
 * For sessions.  Detaches what was queued, for the pump to send first: *data is
 * the caller's to free.
 */
void conn_take_queue(
	struct relay_conn *conn, unsigned char **data, size_t *len);

/*
 * At the end of every event: sends off those that move, frees those that ended.
 * Nothing may touch a connection afterwards.
 */
void conn_reap(struct worker *worker);
/* The first half of it; see conn_move.c. */
void conn_send_off(struct worker *worker);

/* Gives back all it holds; the memory itself waits for the event's end. */
void conn_destroy(struct relay_conn *conn);
/* The same as relay_conn_close, for a connection of any phase. */
void conn_end(struct relay_conn *conn, enum relay_reason reason);
/* The same, and its descriptor is free at once. */
void conn_evict(struct relay_conn *conn);
/* A connection's address; an IPv4 one on an IPv6 socket counts as IPv4. */
void conn_set_address(
	struct relay_conn *conn, const struct sockaddr_storage *from);

#endif
