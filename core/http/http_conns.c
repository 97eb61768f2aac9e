/* SPDX-License-Identifier: MPL-2.0 */

/* All connections of one HTTP address, and which are evicted. */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/http_timeouts.h"
#include "http/http_conn.h"
#include "http/http_conns.h"
#include "http/http_end.h"
#include "http/http_serve.h"
#include "loop/event_later.h"

#define SWEEP_S 1
/* A new connection's first request may take this long to arrive. */
#define YOUNG_MS 1000

static struct http_conns *conns_of(const struct http_conn *conn)
{
	return (struct http_conns *)conn->owner;
}

static void schedule(struct http_conns *conns)
{
	const struct timeval in = {.tv_sec = SWEEP_S};

	if (conns->count && !event_pending(conns->sweep, EV_TIMEOUT, NULL))
		event_later(conns->sweep, &in);
}

static void sweep(evutil_socket_t fd, short what, void *arg)
{
	struct http_conns *conns = arg;
	int64_t now_ms = clock_ms();
	struct http_conn *conn = TAILQ_FIRST(&conns->list);

	(void)fd;
	(void)what;
	/* Answering one connection may exceed HTTP_UNSENT_MAX, and so evict any
	 * other one.  If that is `next`, gone() moves `next` to the one after.
	 */
	for (; conn; conn = conns->next) {
		conns->next = TAILQ_NEXT(conn, all);
		http_timeouts_check(conn, now_ms);
	}
	schedule(conns);
}

/* Eviction. */

static bool is_near(const struct http_conn *conn)
{
	return conn->origin.at[0]->near;
}

/* How easily a connection can be spared; the highest is evicted first. */
static int ease(const struct http_conn *conn, int64_t now_ms)
{
	switch (conn->state) {
	case HTTP_LINGERING:
		return 3;
	case HTTP_SILENT:
		return now_ms - conn->since_ms > YOUNG_MS ? 2 : 0;
	case HTTP_IDLE:
		return 1;
	default:
		return 0;
	}
}

/* Part of the places is reserved for programs on this machine. */
static bool is_shielded(
	const struct http_conns *conns, const struct http_conn *conn)
{
	return is_near(conn) && conns->near <= conns->limit / HTTP_NEAR_PART;
}

/* Which source has more connections; the widest prefix is compared first. */
static int compare_sources(
	const struct http_origin *a, const struct http_origin *b)
{
	for (unsigned i = 0; i < a->count && i < b->count; i++)
		if (a->at[i]->conns != b->at[i]->conns)
			return a->at[i]->conns > b->at[i]->conns ? 1 : -1;
	return 0;
}

/* Whether a is evicted before b. */
static bool goes_before(const struct http_conns *conns,
	const struct http_conn *a, const struct http_conn *b, int64_t now_ms)
{
	bool shielded = is_shielded(conns, a);
	int order;

	if (shielded != is_shielded(conns, b))
		return !shielded;
	order = compare_sources(&a->origin, &b->origin);
	if (order)
		return order > 0;
	order = ease(a, now_ms) - ease(b, now_ms);
	return order ? order > 0 : a->since_ms < b->since_ms;
}

/* The first to be evicted, of all or of one source; NULL: there is none. */
static struct http_conn *pick(
	struct http_conns *conns, const struct http_source *source)
{
	int64_t now_ms = clock_ms();
	struct http_conn *conn, *first = NULL;

	for (conn = TAILQ_FIRST(&conns->list); conn;
		conn = TAILQ_NEXT(conn, all)) {
		if (source && conn->origin.at[0] != source)
			continue;
		if (!first || goes_before(conns, conn, first, now_ms))
			first = conn;
	}
	return first;
}

/*
 * Whether bytes of a request have arrived that were not read yet.  A client
 * that was just answered and has pipelined further requests is not spared:
 * otherwise each new connection would cause all of these to be answered.
 */
static bool has_news(const struct http_conn *conn)
{
	if (event_pending(conn->turn, EV_TIMEOUT, NULL))
		return false;
	return (conn->state == HTTP_SILENT || conn->state == HTTP_IDLE ||
		       conn->state == HTTP_READING) &&
	       http_conn_has_input(conn);
}

/* A request that has arrived is answered before its connection is evicted. */
static int make_room(struct http_conns *conns, const struct http_source *source,
	enum http_end_reason why)
{
	size_t before = conns->count;
	struct http_conn *conn = pick(conns, source);

	for (size_t i = 0; i < before && conn && has_news(conn); i++) {
		http_serve_read(conn);
		if (conns->count < before)
			return 0;
		conn = pick(conns, source);
	}
	if (!conn)
		return -1;
	http_conn_evict(conn, why);
	return 0;
}

int http_conns_evict(struct http_conns *conns)
{
	return make_room(conns, NULL, HTTP_END_DESCRIPTOR);
}

void http_conns_bound(struct http_conns *conns, size_t limit)
{
	conns->limit = limit;
	while (conns->count > limit &&
		make_room(conns, NULL, HTTP_END_ROOM) == 0)
		;
}

/* New connections. */

static void make_room_for(
	struct http_conns *conns, const struct http_origin *origin)
{
	const struct http_source *widest = origin->at[0];
	size_t most = conns->limit / HTTP_SOURCE_PART;

	/* The new connection is already counted in its source. */
	if (!widest->near && widest->conns > (most ? most : 1) &&
		make_room(conns, widest, HTTP_END_SOURCE) == 0)
		return;
	while (conns->count >= conns->limit &&
		make_room(conns, NULL, HTTP_END_ROOM) == 0)
		;
}

void http_conns_add(
	struct http_conns *conns, int fd, const struct sockaddr_storage *from)
{
	int64_t now_ms = clock_ms();
	struct http_origin origin;
	struct http_conn *conn;

	if (http_sources_enter(&conns->owner.sources, from, now_ms, &origin) !=
		0) {
		http_count(HTTP_ENDS, HTTP_END_MEMORY, 1);
		(void)close(fd);
		return;
	}
	http_sources_spend(&conns->owner.sources, &origin, HTTP_ACCEPT_US);
	make_room_for(conns, &origin);
	conn = http_serve_new(&conns->owner, fd, &origin, now_ms);
	if (!conn) {
		http_count(HTTP_ENDS, HTTP_END_MEMORY, 1);
		http_sources_leave(&origin);
		return;
	}
	TAILQ_INSERT_TAIL(&conns->list, conn, all);
	conns->count++;
	conns->near += is_near(conn);
	http_count(HTTP_CONNECTIONS, conns->place, 1);
	schedule(conns);
}

void http_conns_retire(struct http_conns *conns)
{
	struct http_conn *conn;

	for (conn = TAILQ_FIRST(&conns->list); conn;
		conn = TAILQ_NEXT(conn, all))
		conn->last = true;
}

static void gone(struct http_conn *conn)
{
	struct http_conns *conns = conns_of(conn);

	if (conns->next == conn)
		conns->next = TAILQ_NEXT(conn, all);
	TAILQ_REMOVE(&conns->list, conn, all);
	conns->count--;
	conns->near -= is_near(conn);
	conns->unsent -= conn->unsent;
	http_sources_leave(&conn->origin);
	http_count(HTTP_CONNECTIONS, conns->place, -1);
}

/* Answers that clients do not read. */

static struct http_conn *pick_unread(
	struct http_conns *conns, const struct http_conn *spared)
{
	struct http_conn *conn, *first = NULL;

	for (conn = TAILQ_FIRST(&conns->list); conn;
		conn = TAILQ_NEXT(conn, all)) {
		int order =
			first ? compare_sources(&conn->origin, &first->origin)
			      : 1;

		if (conn == spared || !conn->unsent)
			continue;
		if (order > 0 ||
			(order == 0 && conn->since_ms < first->since_ms))
			first = conn;
	}
	return first;
}

static void unsent(struct http_conn *conn, size_t bytes)
{
	struct http_conns *conns = conns_of(conn);
	struct http_conn *first;

	conns->unsent = conns->unsent - conn->unsent + bytes;
	conn->unsent = bytes;
	while (conns->unsent > HTTP_UNSENT_MAX) {
		first = pick_unread(conns, conn);
		if (!first)
			break;
		http_conn_evict(first, HTTP_END_UNREAD);
	}
}

/* All. */

int http_conns_init(struct http_conns *conns, struct event_base *base)
{
	TAILQ_INIT(&conns->list);
	conns->owner.base = base;
	conns->owner.gone = gone;
	conns->owner.unsent = unsent;
	conns->next = NULL;
	conns->owner.owing = 0;
	conns->owner.owing_ms = clock_ms();
	conns->count = conns->near = conns->unsent = 0;
	conns->limit = HTTP_CONNS_MAX;
	http_sources_init(&conns->owner.sources, clock_ms());
	conns->sweep = evtimer_new(base, sweep, conns);
	return conns->sweep ? 0 : -1;
}

void http_conns_finish(struct http_conns *conns)
{
	struct http_conn *conn;

	/* An answer that was just sent is delivered even after the process has
	 * ended. */
	while ((conn = TAILQ_FIRST(&conns->list)))
		http_end_owing(conn);
	http_sources_finish(&conns->owner.sources);
	if (conns->sweep)
		event_free(conns->sweep);
	conns->sweep = NULL;
}
