/* SPDX-License-Identifier: MPL-2.0 */

/* Bounds on the connections of evhttp, which tells nobody when one ends. */

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <event2/bufferevent.h>

#include "http_conns.h"
#include "loop.h"

#define SWEEP_S 1

/* evhttp takes its callbacks away when it frees one, and closes the socket. */
static bool is_over(struct bufferevent *bev)
{
	bufferevent_event_cb event = NULL;

	bufferevent_getcb(bev, NULL, NULL, &event, NULL);
	return !event;
}

/* evhttp sees an end of file, and cleans up as for any other. */
static void cut_off(struct bufferevent *bev)
{
	evutil_socket_t fd = bufferevent_getfd(bev);

	if (!is_over(bev) && fd >= 0)
		(void)shutdown(fd, SHUT_RDWR);
}

static void forget_finished(struct http_conns *conns)
{
	size_t kept = 0;

	for (size_t i = 0; i < conns->count; i++) {
		if (is_over(conns->at[i].bev))
			bufferevent_decref(conns->at[i].bev);
		else
			conns->at[kept++] = conns->at[i];
	}
	conns->count = kept;
}

static void schedule(struct http_conns *conns)
{
	const struct timeval in = {.tv_sec = SWEEP_S};

	if (conns->count && !event_pending(conns->sweep, EV_TIMEOUT, NULL))
		(void)event_add(conns->sweep, &in);
}

static void sweep(evutil_socket_t fd, short what, void *arg)
{
	struct http_conns *conns = arg;
	int64_t now_ms = loop_clock_ms();

	(void)fd;
	(void)what;
	forget_finished(conns);
	for (size_t i = 0; i < conns->count; i++) {
		if (now_ms - conns->at[i].born_ms > HTTP_CONN_LIFE_MS)
			cut_off(conns->at[i].bev);
	}
	schedule(conns);
}

static void drop_oldest(struct http_conns *conns)
{
	cut_off(conns->at[0].bev);
	bufferevent_decref(conns->at[0].bev);
	conns->count--;
	memmove(&conns->at[0], &conns->at[1],
		conns->count * sizeof(conns->at[0]));
}

struct bufferevent *http_conns_make(struct event_base *base, void *arg)
{
	struct http_conns *conns = arg;
	struct bufferevent *bev = bufferevent_socket_new(base, -1, 0);

	/* evhttp then tries for itself, and that fails as well. */
	if (!bev)
		return NULL;
	if (conns->count == HTTP_CONNS_MAX)
		forget_finished(conns);
	if (conns->count == HTTP_CONNS_MAX)
		drop_oldest(conns);
	bufferevent_incref(bev);
	conns->at[conns->count].bev = bev;
	conns->at[conns->count].born_ms = loop_clock_ms();
	conns->count++;
	schedule(conns);
	return bev;
}

int http_conns_init(struct http_conns *conns, struct event_base *base)
{
	conns->sweep = evtimer_new(base, sweep, conns);
	return conns->sweep ? 0 : -1;
}

void http_conns_finish(struct http_conns *conns)
{
	for (size_t i = 0; i < conns->count; i++)
		bufferevent_decref(conns->at[i].bev);
	conns->count = 0;
	if (conns->sweep)
		event_free(conns->sweep);
	conns->sweep = NULL;
}
