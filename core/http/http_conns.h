/* SPDX-License-Identifier: MPL-2.0 */

/*
 * All connections of one HTTP address.  When there are too many, the source
 * with the most connections loses one: the one that is easiest to spare.  So
 * sources with many connections take places from themselves, and a source with
 * few keeps its own.
 */
#ifndef HTTP_CONNS_H
#define HTTP_CONNS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include <event2/event.h>

#include "http/http_metrics.h"
#include "http/http_conn.h"
#include "http/http_sources.h"

/* The most connections on one address; fewer where descriptors are few, see
 * capacity.h. */
#define HTTP_CONNS_MAX 256
/* A source on another machine may have 1 / HTTP_SOURCE_PART of them. */
#define HTTP_SOURCE_PART 2
/* 1 / HTTP_NEAR_PART of them is reserved for programs on this machine. */
#define HTTP_NEAR_PART 8
/* Bytes of answers that the clients of one address have not read, at most. */
#define HTTP_UNSENT_MAX (8 << 20)

struct http_conns {
	struct http_owner owner; /* must be first, see conns_of() */
	enum http_place place;
	TAILQ_HEAD(http_conn_list, http_conn) list; /* owned, oldest first */
	struct http_conn *next; /* borrowed; where sweep() goes on */
	size_t count, near, limit;
	size_t unsent;       /* bytes of answers that clients did not read */
	struct event *sweep; /* owned */
};

/* The caller has set place, owner.answer and owner.arg.  0, or -1 without
 * memory. */
int http_conns_init(struct http_conns *conns, struct event_base *base);
/* Closes all. */
void http_conns_finish(struct http_conns *conns);
/* Allows `limit` connections (1 or more) from now on; evicts those above it. */
void http_conns_bound(struct http_conns *conns, size_t limit);

/* Takes a new connection over. */
void http_conns_add(
	struct http_conns *conns, int fd, const struct sockaddr_storage *from);
/* Evicts one, to free a descriptor.  0, or -1: there is none. */
int http_conns_evict(struct http_conns *conns);
/* The address changes: each connection is closed after its next answer. */
void http_conns_retire(struct http_conns *conns);

#endif
