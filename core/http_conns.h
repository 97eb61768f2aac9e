/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The bounds that evhttp lacks: how many connections, and for how long.
 */
#ifndef HTTP_CONNS_H
#define HTTP_CONNS_H

#include <event2/event.h>

struct bufferevent;

/* When all are taken, the oldest one goes: readers of the page come often and
 * briefly, those who only occupy it do not. */
#define HTTP_CONNS_MAX    128
#define HTTP_CONN_LIFE_MS 30000

/* 0, or -1 without memory. */
int http_conns_init(struct event_base *base);
/* After evhttp_free(). */
void http_conns_finish(void);

/* For evhttp_set_bevcb(). */
struct bufferevent *http_conns_make(struct event_base *base, void *arg);

#endif
