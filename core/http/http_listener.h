/* SPDX-License-Identifier: MPL-2.0 */

/*
 * One HTTP address: its listening socket and its connections.  It can move to
 * another address; an address that cannot be bound is tried again.  [C]
 */
#ifndef HTTP_LISTENER_H
#define HTTP_LISTENER_H

#include <stdbool.h>

#include <event2/event.h>

#include "base/address.h"
#include "http/http_accept.h"
#include "http/http_conns.h"
#include "net/inherited.h"
#include "net/listen_socket.h"

struct http_exchange;
struct name_lookup;

/* The address to move to. */
struct http_stage {
	char *address;             /* owned; NULL: it stays as it is */
	struct listen_place place; /* of fd */
	int fd;                    /* owned; -1: none */
	bool keeps;                /* the same address in another spelling */
};

struct http_listener {
	/* The owner's part, set before http_listener_init(). */
	const char *what;   /* "status address", as the log calls it */
	const char *option; /* that names the address */
	enum inherited_use use;
	enum http_place place_label;
	void (*answer)(struct http_exchange *x, void *server);
	size_t (*limit)(void *server); /* how many connections there may be */
	void (*again)(struct http_listener *
			server); /* called when opening should be tried again */

	struct event_base *base;    /* borrowed */
	char *address;              /* owned; as configured */
	bool open;                  /* conns and accept are in use */
	struct event *retry;        /* owned */
	struct name_lookup *lookup; /* owned; before it opens; NULL: none */
	struct listen_place place;  /* of the socket, with its real port */
	struct http_stage stage;
	bool lent;    /* another server will use the socket: do not drain it */
	int reserved; /* owned; bound, but not listening; -1: none */
	bool failing; /* binding failed, and that was logged */
	/* The address as configured, with the port that was really bound. */
	char text[ADDRESS_HOST_MAX + ADDRESS_PORT_MAX];
	struct http_accept accept;
	struct http_conns conns;
};

/* "" keeps it closed.  0, or -1 without memory. */
int http_listener_init(struct http_listener *server, struct event_base *base,
	const char *address);
void http_listener_finish(struct http_listener *server);
/* Binds it before the process gives up its rights; http_listener_open() uses
 * that socket. */
void http_listener_reserve(struct http_listener *server);
/* Opens it if it is closed.  A failure is logged; it is tried again in 30 s.
 * Looks a name up on this thread. */
void http_listener_open(struct http_listener *server);
/* The same, but looks a name up beside this thread, and opens it then. */
void http_listener_open_later(struct http_listener *server);
/* Also cancels http_listener_open_later(). */
void http_listener_close(struct http_listener *server);
/* Clients wait in the accept queue until http_listener_resume(). */
void http_listener_pause(struct http_listener *server);
void http_listener_resume(struct http_listener *server);
/* -1: it is closed. */
int http_listener_socket(const struct http_listener *server);

/*
 * Binds the address to move to, while the present one serves.  If `other` has
 * that address now, its socket is used.  `names`: as for name_lookup_place().
 * 0, or -1 with err.
 */
int http_listener_stage(struct http_listener *server,
	struct http_listener *other, const char *address,
	const struct name_lookup *names, struct relay_err *err);
void http_listener_abandon(struct http_listener *server);
/*
 * Moves to the staged address.  Requests under way are finished, and clients in
 * the old socket's queue are served.  If it is not `needed`, it stays closed.
 */
void http_listener_take(struct http_listener *server, bool needed);

#endif
