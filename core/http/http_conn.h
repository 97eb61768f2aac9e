/* SPDX-License-Identifier: MPL-2.0 */

/*
 * One HTTP connection: reads a head, has it answered, sends the answer, and
 * only then reads on.  So it holds one request and one answer at most.
 *
 * Why this is no library.  libevent's evhttp accepts by itself, without a bound
 * and with no public way to hand it a connection; tells nobody when a
 * connection ends or a head is complete; gives HEAD and GET no body; and reads
 * an endless chunk line again from its start for each packet.  libmicrohttpd
 * (0.9.75) has the bounds, but brings GnuTLS and six more libraries into the
 * process that holds the relay's key (3.7 million instructions and 0.4 MiB at
 * each start), takes two Content-Lengths and `Transfer-Encoding :` for good,
 * reads a folded line as a field of another name, and can neither say a last
 * word to a connection nor tell whether half a request is there, so that all of
 * this had to be done beside it.  GET and HEAD without a body need a parser of
 * 250 lines.
 *
 * [C]
 */
#ifndef HTTP_CONN_H
#define HTTP_CONN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <event2/event.h>

#include "http/http_head.h"
#include "http/http_metrics.h"
#include "http/http_sources.h"

struct evbuffer;
struct http_conns;

enum http_state {
	HTTP_SILENT,    /* it has sent nothing yet */
	HTTP_IDLE,      /* between two requests */
	HTTP_READING,   /* a head has begun */
	HTTP_WAITING,   /* a head is complete, but its source took too much */
	HTTP_WRITING,   /* the answer does not fit into the socket */
	HTTP_LINGERING, /* all is sent; the peer has not closed yet */
};

/* How long a connection may be in each state, ms. */
#define HTTP_SILENT_MS    10000
#define HTTP_IDLE_MS      80000 /* 75 s are promised */
#define HTTP_READING_MS   10000
#define HTTP_WAITING_MS   30000
#define HTTP_WRITING_MS   30000
#define HTTP_LINGERING_MS 5000

struct http_conn {
	TAILQ_ENTRY(http_conn) all;
	struct http_conns *owner; /* borrowed */
	struct http_origin origin;
	int fd;                            /* owned */
	struct event *readable, *writable; /* owned */
	struct event *turn;                /* owned; goes on later */
	struct evbuffer *out;              /* owned; not sent yet */
	enum http_state state;
	int64_t since_ms; /* when the state began */
	char *in;         /* owned, HTTP_HEAD_MAX bytes; NULL: none */
	size_t in_len;
	size_t seen;      /* of in, without the end of a head */
	size_t unsent;    /* what is counted in owner->unsent */
	size_t discarded; /* while lingering */
	bool last;        /* it is closed after this answer */
};

/* Takes fd over, also on failure.  NULL without memory.  The owner's list and
 * count are the caller's. */
struct http_conn *http_conn_new(struct http_conns *owner, int fd,
	const struct http_origin *origin, int64_t now_ms);
/* Closes it now. */
void http_conn_free(struct http_conn *conn);

/* Takes what has come, and answers it.  It may be freed then.  Not for those
 * that wait, write or linger. */
void http_conn_read(struct http_conn *conn);

/* For http_end.c. */
void http_conn_enter(struct http_conn *conn, enum http_state state);
void http_conn_forget_input(struct http_conn *conn);
/* Sends what the socket takes.  `unread`: the peer may send more. */
void http_conn_flush(struct http_conn *conn, bool unread);

#endif
