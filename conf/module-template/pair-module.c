/* SPDX-License-Identifier: MPL-2.0 */
/* pair-module - a protocol: two who send the same line are connected. */
#include <pthread.h>
#include <string.h>
#include <strelaysrv/module.h>
#define LINE 32  /* bytes of a line, with its end */
#define MOST 128 /* clients that may wait */
struct conf {
	int64_t wait_ms;
};
static const struct relay_option options[] = {
	RELAY_OPT(struct conf, wait_ms, int64_t, "wait", RELAY_DURATION, "1m",
		100, 0, "how long a client may be without the other one"),
	RELAY_OPT_END};
/* Ids, not pointers: the connection may belong to another worker. */
struct waiter {
	uint64_t id; /* 0: the place is free */
	int worker;
	char line[LINE]; /* filled up with zeros */
};
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct waiter waiters[MOST];
static void meet(struct relay_ctx *cx, struct relay_conn *conn);
/* On the worker of the one that waited, which may have left meanwhile. */
static void arrived(
	struct relay_ctx *cx, struct relay_conn *conn, const void *arg)
{
	struct relay_conn *other = relay_conn_find(cx, *(const uint64_t *)arg);

	if (other)
		(void)relay_session_pair(cx, other, conn, 600000);
	else
		meet(cx, conn);
}
static void meet(struct relay_ctx *cx, struct relay_conn *conn)
{
	const char *line = relay_conn_data(cx, conn);
	struct waiter other = {.id = 0}, *place = NULL;

	pthread_mutex_lock(&lock);
	for (struct waiter *at = waiters; at < waiters + MOST; at++)
		if (at->id == 0) {
			place = at;
		} else if (memcmp(at->line, line, LINE) == 0) {
			other = *at;
			at->id = 0;
			break;
		}
	if (place && !other.id) {
		*place = (struct waiter){relay_conn_id(conn), cx->worker, ""};
		memcpy(place->line, line, LINE);
	}
	pthread_mutex_unlock(&lock);
	if (other.id)
		relay_conn_move(cx, conn, other.worker, arrived, &other.id,
			sizeof(other.id));
	else if (!place)
		relay_conn_close(conn, RELAY_END_LIMIT);
}

static enum relay_verdict conn_open(
	struct relay_ctx *cx, struct relay_conn *conn, struct relay_denial *why)
{
	const struct conf *conf = cx->conf;

	(void)why;
	if (strcmp(relay_conn_protocol(conn), "pair-module") != 0 ||
		relay_conn_is_tls(conn) || relay_conn_private(conn))
		return RELAY_PASS;
	relay_conn_deadline(conn, conf->wait_ms);
	return RELAY_TAKE;
}

static void conn_readable(struct relay_ctx *cx, struct relay_conn *conn)
{
	char *line = relay_conn_data(cx, conn), first[LINE];
	struct relay_denial why;
	ssize_t got = line[0] ? 0 : relay_conn_peek(conn, first, LINE);
	const char *end = got > 0 ? memchr(first, '\n', (size_t)got) : NULL;

	if (got < 0 || (got == LINE && !end) ||
		(end && memchr(first, '\0', (size_t)(end - first)))) {
		relay_conn_close(conn, RELAY_END_PROTOCOL);
	} else if (end && (relay_closed() || relay_conn_at_limit(conn) ||
				  relay_ask_try(cx, conn, RELAY_TRY_CONNECT,
					  &why) != RELAY_PASS)) {
		relay_conn_close(conn, RELAY_END_DENIED);
	} else if (end) {
		/* What follows is for the other one, and stays unread. */
		(void)relay_conn_read(conn, line, (size_t)(end - first) + 1);
		relay_conn_waits(conn, true);
		meet(cx, conn);
	}
}

static void conn_deadline(struct relay_ctx *cx, struct relay_conn *conn)
{
	(void)cx;
	relay_conn_close(conn, RELAY_END_TIMEOUT);
}

static void conn_close(
	struct relay_ctx *cx, struct relay_conn *conn, enum relay_reason reason)
{
	(void)reason;
	pthread_mutex_lock(&lock);
	for (struct waiter *at = waiters; at < waiters + MOST; at++)
		if (at->id == relay_conn_id(conn) && at->worker == cx->worker)
			at->id = 0;
	pthread_mutex_unlock(&lock);
}

/* The other one will come to the new process. */
static void pass_on(struct relay_ctx *cx, const void *arg)
{
	const struct waiter *one = arg;
	struct relay_conn *conn = relay_conn_find(cx, one->id);

	if (conn) /* unless it is passed on, the next notice tries again */
		(void)relay_conn_pass_on(
			cx, conn, one->line, strnlen(one->line, LINE));
}

static int64_t drain(struct relay_ctx *cx, enum relay_drain how)
{
	int64_t waiting = 0;

	pthread_mutex_lock(&lock);
	for (struct waiter *at = waiters; at < waiters + MOST; at++) {
		waiting += at->id != 0;
		if (at->id && how == RELAY_DRAIN_MOVE)
			(void)relay_post(
				cx, at->worker, pass_on, at, sizeof(*at));
	}
	pthread_mutex_unlock(&lock);
	return how == RELAY_DRAIN_NONE ? 0 : waiting;
}

RELAY_MODULE = {
	RELAY_MODULE_INFO("pair-module", "1.0", "connects who send a line"),
	.options = options,
	.flags = RELAY_CONFINED,
	.conf_size = sizeof(struct conf),
	.conn_size = LINE,
	.hooks = {.conn_open = conn_open,
		.conn_readable = conn_readable,
		.conn_deadline = conn_deadline,
		.conn_close = conn_close,
		.drain = drain},
};
