/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What the server keeps of a connection, from accept to the last byte.
 */
#ifndef CONN_STATE_H
#define CONN_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include <strelaysrv/conn.h>
#include <strelaysrv/device_id.h>

#include "modules/hooks.h"
#include "workers/deadlines.h"
#include "workers/worker.h"

struct question;
struct relay_session;
struct linger_record;
struct listener_facts;
struct stranger;
struct tls_conn;

enum conn_phase {
	CONN_OPENING,   /* waits for its first byte */
	CONN_HANDSHAKE, /* TLS is being set up */
	CONN_TAKEN,     /* a module serves it */
	CONN_MOVING,    /* moves to another worker when the event is over */
	CONN_PAIRED,    /* it is one side of a session */
	CONN_LINGERING, /* closed for modules; last bytes are delivered */
	CONN_DEAD,      /* will be freed, see conn_reap() */
};

struct conn_queue; /* bytes that the socket did not take yet */
/* Bytes that another process read from it; freed when all are read. */
struct conn_unread {
	size_t at, len;
	unsigned char data[];
};

/* An address with its port. */
struct conn_place {
	uint16_t port;
	uint8_t addr[16]; /* IPv4 as ::ffff:a.b.c.d */
};

struct relay_conn {
	struct worker *worker; /* borrowed */
	const struct layout *layout;
	union {
		struct relay_ctx *owner; /* the module that took it, on this
					  * worker; from CONN_TAKEN on */
		int64_t opened_us;       /* CONN_HANDSHAKE: when it began,
					  * monotonic */
	};
	struct tls_conn *tls;            /* owned; NULL: plain */
	struct conn_queue *queue;        /* owned; NULL: empty */
	struct conn_unread *unread;      /* owned; NULL: nothing */
	struct relay_session *session;   /* borrowed; NULL: not paired */
	struct question *question;       /* owned; NULL: none waits */
	struct relay_conn *next;         /* on the worker's list `dead` */
	struct relay_conn *reread_next;  /* on the worker's list `reread` */
	struct stranger *stranger;       /* owned; NULL: not a stranger */
	struct linger_record *lingering; /* owned; NULL: does not linger */
	struct conn_place *came_in; /* owned, as a proxy says; NULL: the socket
				     * knows */
	struct listener_facts *facts; /* shared; NULL: of another process */
	struct deadline deadline;
	struct event event;
	uint64_t id;
	int fd;          /* owned; -1 once closed */
	uint8_t phase;   /* enum conn_phase */
	uint8_t side;    /* which side of its session */
	uint8_t certs;   /* how many the peer sent; see relay_conn_peer_certs */
	bool reread : 1; /* is on the list `reread` */
	bool ended : 1;  /* a read or write failed: close as end_reason */
	bool at_eof : 1; /* the peer will send nothing more */
	bool notified : 1;   /* the peer has sent close_notify */
	bool wrote : 1;      /* the server has written to the peer */
	bool read_waits : 1; /* a TLS read waits until the socket takes bytes */
	bool hung_up : 1;    /* the peer has closed; bytes may be unread */
	bool waits : 1;      /* relay_conn_waits() */
	bool peer_set : 1;   /* plain, and a module has set `peer` */
	bool unread_now : 1; /* its module has not read in this event */
	bool truncated : 1;  /* bytes that its session had for it are lost */
	bool heard : 1;      /* the peer's first byte has arrived */
	bool settled : 1;    /* relay_conn_settled() was called */
	uint8_t end_reason;
	uint8_t close_by; /* enum close_by */
	uint8_t asked;    /* how many modules were asked, see hooks.h */
	uint16_t port;
	uint16_t dataless_minute; /* see conn_record_limit.h */
	uint8_t dataless;         /* records without data in that minute */
	uint8_t addr[16];         /* IPv4 as ::ffff:a.b.c.d */
	uint8_t peer[RELAY_DEVICE_ID_LEN];
	_Alignas(max_align_t) unsigned char blocks[]; /* of the modules */
};

#endif
