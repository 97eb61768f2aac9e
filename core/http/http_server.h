/* SPDX-License-Identifier: MPL-2.0 */

/*
 * One address that answers HTTP: its listener, its bounds, its second tries.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include <stdbool.h>

#include <event2/event.h>

#include "base/address.h"
#include "http/http_accept.h"
#include "http/http_conns.h"
#include "net/inherited.h"
#include "net/listen_socket.h"

struct http_exchange;

/* The address that is to follow. */
struct http_stage {
	char *address;             /* owned; NULL: it stays as it is */
	struct listen_place place; /* of fd */
	int fd;                    /* owned; -1: none */
	bool keeps;                /* only its spelling is another */
};

struct http_server {
	/* The owner's part, set before http_server_init(). */
	const char *what; /* "status address", as the log calls it */
	enum inherited_use use;
	enum http_place place_label;
	void (*answer)(struct http_exchange *x, void *server);
	size_t (*limit)(void *server); /* how many connections there may be */
	void (*again)(struct http_server *server); /* time to try to open it */

	struct event_base *base;   /* borrowed */
	char *address;             /* owned; as configured */
	bool open;                 /* conns and accept are in use */
	struct event *retry;       /* owned */
	struct listen_place place; /* of the socket, with its real port */
	struct http_stage stage;
	bool lent;    /* another is about to have the socket: it hears on */
	int reserved; /* owned; bound, but not listening; -1: none */
	bool failing; /* to bind; the operator was told */
	/* The address as configured, with the port that was really bound. */
	char text[ADDRESS_HOST_MAX + ADDRESS_PORT_MAX];
	struct http_accept accept;
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
/* Who comes waits in the queue until it is resumed. */
void http_server_pause(struct http_server *server);
void http_server_resume(struct http_server *server);
/* -1: it is closed. */
int http_server_socket(const struct http_server *server);

/*
 * Binds what is to follow, beside what serves; `other` is one more whose socket
 * may be what is asked for.  0, or -1 with err.
 */
int http_server_stage(struct http_server *server, struct http_server *other,
	const char *address, struct relay_err *err);
void http_server_abandon(struct http_server *server);
/*
 * Moves there: requests under way go on, and who waits at the old address is
 * answered.  A server that is not needed only learns its address.
 */
void http_server_take(struct http_server *server, bool needed);

#endif
