/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The listening socket of one HTTP address.  [C]
 */
#ifndef HTTP_ACCEPT_H
#define HTTP_ACCEPT_H

#include <stddef.h>

#include <event2/event.h>

#include <strelaysrv/err.h>
#include <strelaysrv/log.h>

struct http_conns;

struct http_accept {
	struct http_conns *conns;    /* borrowed */
	const char *what;            /* as the log calls it */
	int fd;                      /* owned; -1: closed */
	int spare;                   /* owned; a descriptor in reserve */
	struct event *event, *retry; /* owned */
	size_t (*limit)(void *arg);  /* how many connections there may be */
	void *arg;
	struct relay_log_kind failures;
};

/* Owns fd, a bound socket, from now on, also on failure.  The caller has set
 * what, conns, limit and arg.  0, or -1 with err. */
int http_accept_open(struct http_accept *accept, struct event_base *base,
	int fd, struct relay_err *err);
void http_accept_close(struct http_accept *accept);
/* Accepts the clients that wait in the queue, then closes the socket.  A client
 * that connects later is refused by the kernel. */
void http_accept_retire(struct http_accept *accept);
void http_accept_pause(struct http_accept *accept);
void http_accept_resume(struct http_accept *accept);

#endif
