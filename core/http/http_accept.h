/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The listening socket of one HTTP address.  [C]
 */
#ifndef HTTP_ACCEPT_H
#define HTTP_ACCEPT_H

#include <stddef.h>

#include <event2/event.h>

#include <strelaysrv/err.h>

struct http_conns;

struct http_accept {
	struct http_conns *conns;    /* borrowed */
	const char *what;            /* as the log calls it */
	int fd;                      /* owned; -1: closed */
	int spare;                   /* owned; a descriptor in reserve */
	struct event *event, *retry; /* owned */
	size_t (*limit)(void *arg);  /* how many connections there may be */
	void *arg;
};

/* Takes fd over, which is bound, also on failure.  what, conns, limit and arg
 * are set before.  0, or -1 with err. */
int http_accept_open(struct http_accept *accept, struct event_base *base,
	int fd, struct relay_err *err);
void http_accept_close(struct http_accept *accept);
/* Takes in who waits, and closes it: nobody who comes later is lost. */
void http_accept_retire(struct http_accept *accept);
void http_accept_pause(struct http_accept *accept);
void http_accept_resume(struct http_accept *accept);

#endif
