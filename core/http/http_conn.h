/* SPDX-License-Identifier: MPL-2.0 */

/*
 * One HTTP connection: its state, and what it calls of its owner.  [C]
 */
#ifndef HTTP_CONN_H
#define HTTP_CONN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include <event2/event.h>

#include "http/http_head.h"
#include "http/http_metrics.h"
#include "http/http_sources.h"

struct evbuffer;
struct http_conn;
struct http_exchange;

/* The owner of connections: its functions answer their requests, and are called
 * when they end. */
struct http_owner {
	struct event_base *base; /* borrowed */
	struct http_sources sources;
	/* Connections that were closed since this time while the kernel still
	 * delivers their last answer, see http_end_owing(). */
	int64_t owing_ms;
	unsigned owing;
	/* Appends an answer to x->out, or does nothing without memory. */
	void (*answer)(struct http_exchange *x, void *arg);
	void *arg;
	/* The connection ends, and is freed after the call. */
	void (*gone)(struct http_conn *conn);
	/* `bytes` of its answer wait until the client reads. */
	void (*unsent)(struct http_conn *conn, size_t bytes);
};

enum http_conn_state {
	HTTP_SILENT,    /* it has sent nothing yet */
	HTTP_IDLE,      /* between two requests */
	HTTP_READING,   /* a head has begun */
	HTTP_WAITING,   /* a head is complete, but its source must wait */
	HTTP_WRITING,   /* the answer does not fit into the socket */
	HTTP_LINGERING, /* all is sent; the peer has not closed yet */
};

struct http_conn {
	TAILQ_ENTRY(http_conn) all;
	struct http_owner *owner; /* borrowed */
	struct http_origin origin;
	int fd;                            /* owned */
	struct event *readable, *writable; /* owned */
	struct event *turn;                /* owned; continues later */
	struct evbuffer *out;              /* owned; not sent yet */
	enum http_conn_state state;
	int64_t since_ms; /* when the state began */
	char *in;         /* owned, HTTP_HEAD_MAX bytes; NULL: none */
	size_t in_len;
	size_t seen; /* bytes of `in` that were searched for the end of a head
		      */
	unsigned empty;   /* empty lines before the next request */
	size_t unsent;    /* as last reported to the owner */
	size_t discarded; /* while lingering */
	bool last;        /* it is closed after this answer */
};

void http_conn_enter(struct http_conn *conn, enum http_conn_state state);
/* Turns notification of further input on or off. */
void http_conn_listen(struct http_conn *conn, bool on);
void http_conn_forget_input(struct http_conn *conn);
/* Whether bytes are there that were not read yet. */
bool http_conn_has_input(const struct http_conn *conn);
/* Reads and throws away up to HTTP_HEAD_MAX bytes.  Returns what recv(2) does,
 * with its errno. */
ssize_t http_conn_discard(const struct http_conn *conn);
/* Sends what the socket takes of conn->out.  0, or -1 with errno: the
 * connection is broken. */
int http_conn_send(struct http_conn *conn);
/* Closes and frees it.  The owner is not told. */
void http_conn_free(struct http_conn *conn);

#endif
