/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The bounds that evhttp lacks: how many connections, and for how long.
 */
#ifndef HTTP_CONNS_H
#define HTTP_CONNS_H

#include <stddef.h>
#include <stdint.h>

#include <event2/event.h>

struct bufferevent;

/* When all are taken, the oldest one goes: readers of the page come often and
 * briefly, those who only occupy it do not. */
#define HTTP_CONNS_MAX    128
#define HTTP_CONN_LIFE_MS 30000

/* Those of one address, oldest first. */
struct http_conns {
	struct {
		/* A reference of our own keeps it readable after evhttp has
		 * let go of it. */
		struct bufferevent *bev;
		int64_t born_ms;
	} at[HTTP_CONNS_MAX];
	size_t count;
	struct event *sweep; /* owned */
};

/* 0, or -1 without memory. */
int http_conns_init(struct http_conns *conns, struct event_base *base);
/* After evhttp_free(). */
void http_conns_finish(struct http_conns *conns);

/* For evhttp_set_bevcb(); `arg` is the struct http_conns. */
struct bufferevent *http_conns_make(struct event_base *base, void *arg);

#endif
