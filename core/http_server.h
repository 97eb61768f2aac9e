/* SPDX-License-Identifier: MPL-2.0 */

/*
 * One address that answers HTTP: its listener, its bounds, its second tries.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include <stdbool.h>

#include <event2/event.h>

#include "address.h"
#include "http_conns.h"

struct evconnlistener;
struct evhttp;
struct evhttp_request;

struct http_server {
	/* The owner's part, set before http_server_init(). */
	const char *what; /* "status address", as the log calls it */
	void (*answer)(struct evhttp_request *req, void *server);
	void (*again)(struct http_server *server); /* time to try to open it */

	struct event_base *base;         /* borrowed */
	char *address;                   /* owned; as configured */
	struct evhttp *evhttp;           /* owned; NULL while closed */
	struct evconnlistener *listener; /* owned by evhttp */
	struct event *retry, *resume;    /* owned */
	bool failing;                    /* to bind; the operator was told */
	int reserved; /* owned; bound, but not listening; -1: none */
	/* The address as configured, with the port that was really bound. */
	char text[ADDRESS_HOST_MAX + ADDRESS_PORT_MAX];
	struct http_conns conns;
};

/* "" keeps it closed.  0, or -1 without memory. */
int http_server_init(struct http_server *server, struct event_base *base,
	const char *address);
void http_server_finish(struct http_server *server);
/* Binds it already, while the process may; the first opening uses that. */
void http_server_reserve(struct http_server *server);
/* Opens it if it is closed; what fails is logged and tried again in 30 s. */
void http_server_open(struct http_server *server);
void http_server_close(struct http_server *server);

#endif
