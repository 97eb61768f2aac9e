/* SPDX-License-Identifier: MPL-2.0 */

/*
 * All connections of one HTTP address, and who has to go when there are too
 * many: the source with the most gives one up, and of its connections the one
 * that needs its place least.  So strangers, be they many or fast, take places
 * from each other, and whoever has few keeps them.
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

/* The most on one address; few descriptors leave fewer, see capacity.h. */
#define HTTP_CONNS_MAX 256
/* Of these, for one source that is not on this machine: one in this many. */
#define HTTP_SOURCE_PART 2
/* Kept free of strangers, for programs on this machine: one in this many. */
#define HTTP_NEAR_PART 8
/* Answers that clients have not read, on one address. */
#define HTTP_UNSENT_MAX (8 << 20)

struct http_conns {
	struct http_owner owner; /* first: it is what connections know */
	enum http_place place;
	TAILQ_HEAD(http_conn_list, http_conn) list; /* owned, oldest first */
	size_t count, near, limit;
	size_t unsent;       /* bytes of answers that clients did not read */
	struct event *sweep; /* owned */
};

/* place, owner.answer and owner.arg are set before.  0, or -1 without memory.
 */
int http_conns_init(struct http_conns *conns, struct event_base *base);
/* Closes all. */
void http_conns_finish(struct http_conns *conns);
/* From here on at most `limit` (1 or more); who is over it goes. */
void http_conns_bound(struct http_conns *conns, size_t limit);

/* Takes a new connection over. */
void http_conns_add(
	struct http_conns *conns, int fd, const struct sockaddr_storage *from);
/* One goes, so that a descriptor becomes free.  0, or -1: there is none. */
int http_conns_give_way(struct http_conns *conns);
/* Each is closed after its next answer: the address moves. */
void http_conns_retire(struct http_conns *conns);

#endif
