/* SPDX-License-Identifier: MPL-2.0 */

/* Serving one HTTP connection. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <event2/buffer.h>

#include "base/clock.h"
#include "base/time_span.h"
#include "http/http_conn.h"
#include "http/http_end.h"
#include "http/http_reply.h"
#include "http/http_serve.h"
#include "loop/event_later.h"

/* How much time of its source's share a request costs besides its answer: for
 * system calls and parsing. */
#define OVERHEAD_US 30
/* How much each read costs, whether or not it completes a request. */
#define READ_US    5
#define EMPTY_MOST 4 /* empty lines before a request */

static void go_on_in(struct http_conn *conn, int64_t ms)
{
	const struct timeval in = time_span_val(ms);

	http_conn_listen(conn, false);
	event_later(conn->turn, &in);
}

/* Answers. */

static void sent_all(struct http_conn *conn, bool unread)
{
	if (conn->last) {
		http_end_finish(conn, unread);
		return;
	}
	http_conn_enter(conn, conn->in ? HTTP_READING : HTTP_IDLE);
	/* Other connections are served before the next pipelined request. */
	if (conn->in)
		go_on_in(conn, 0);
	else
		http_conn_listen(conn, true);
}

/* Sends what the socket takes.  `unread`: the request had a body. */
void http_serve_flush(struct http_conn *conn, bool unread)
{
	size_t left;

	if (http_conn_send(conn) != 0) {
		http_end(conn);
		return;
	}
	left = evbuffer_get_length(conn->out);
	conn->owner->unsent(conn, left);
	if (!left) {
		(void)event_del(conn->writable);
		sent_all(conn, unread);
		return;
	}
	if (conn->state == HTTP_WRITING)
		return;
	http_conn_enter(conn, HTTP_WRITING);
	http_conn_listen(conn, false);
	if (event_add(conn->writable, NULL) != 0)
		http_end(conn);
}

static void writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	/* Whether the request had a body is no longer known: assume so. */
	http_serve_flush(arg, true);
}

static void refuse(struct http_conn *conn, struct http_exchange *x, int status)
{
	bool large = status == 413 || status == 414 || status == 431;

	http_count(HTTP_REQUESTS, large ? HTTP_TOO_LARGE : HTTP_MALFORMED, 1);
	x->last = true;
	http_reply_refuse(x, status);
	conn->last = true;
}

static int64_t thread_us(void)
{
	struct timespec t = {0};

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Answers or refuses one head; without memory for that, the connection ends. */
static void exchange(struct http_conn *conn, char *data, size_t len, int bad)
{
	struct http_exchange x = {.out = conn->out, .fields = evbuffer_new()};
	struct http_owner *owner = conn->owner;
	int64_t began_us = thread_us();
	int status = bad;

	if (!x.fields) {
		http_count(HTTP_REQUESTS, HTTP_UNANSWERED, 1);
		http_end(conn);
		return;
	}
	x.head.method = "";
	x.head.minor = 1;
	if (!status)
		status = http_head_parse(data, len, &x.head);
	if (status) {
		refuse(conn, &x, status);
	} else {
		conn->last |= !x.head.persistent || x.head.has_body;
		x.last = conn->last;
		owner->answer(&x, owner->arg);
		http_count(HTTP_REQUESTS,
			x.answered ? HTTP_ANSWERED : HTTP_UNANSWERED, 1);
	}
	evbuffer_free(x.fields);
	http_sources_spend(&owner->sources, &conn->origin,
		thread_us() - began_us + OVERHEAD_US);
	if (x.answered)
		http_serve_flush(conn, status || x.head.has_body);
	else
		http_end(conn);
}

/* Input. */

/* Keeps input that is not answered yet; data may be in conn->in.  0 or -1. */
static int keep(struct http_conn *conn, const char *data, size_t len)
{
	if (!conn->in)
		conn->in = malloc(HTTP_HEAD_MAX);
	if (!conn->in)
		return -1;
	memmove(conn->in, data, len);
	conn->in_len = len;
	return 0;
}

static bool must_wait(struct http_conn *conn)
{
	int64_t wait_ms = http_sources_wait(
		&conn->owner->sources, &conn->origin, clock_ms());

	if (!wait_ms)
		return false;
	if (conn->state != HTTP_WAITING) {
		http_count(HTTP_REQUESTS, HTTP_DELAYED, 1);
		http_conn_enter(conn, HTTP_WAITING);
	}
	go_on_in(conn, wait_ms);
	return true;
}

static void partial_head(struct http_conn *conn, const char *data, size_t len)
{
	if (len == HTTP_HEAD_MAX) {
		exchange(conn, NULL, 0, memchr(data, '\n', len) ? 431 : 414);
		return;
	}
	if (conn->state != HTTP_READING)
		http_conn_enter(conn, HTTP_READING);
	if (keep(conn, data, len) != 0) {
		http_end(conn);
		return;
	}
	conn->seen = len;
	http_conn_listen(conn, true);
}

/* data begins with a whole head of n bytes. */
static void take_head(struct http_conn *conn, char *data, size_t len, size_t n)
{
	bool waits = must_wait(conn);
	char head[HTTP_HEAD_MAX];

	conn->seen = 0;
	conn->empty = 0;
	if (waits) {
		if (keep(conn, data, len) != 0)
			http_end(conn);
		return;
	}
	/* keep() may overwrite data. */
	memcpy(head, data, n);
	if (len == n) {
		http_conn_forget_input(conn);
	} else if (keep(conn, data + n, len - n) != 0) {
		http_end(conn);
		return;
	}
	exchange(conn, head, n, 0);
}

/* data: `len` bytes of input, in conn->in or elsewhere. */
static void take(struct http_conn *conn, char *data, size_t len)
{
	int n;

	/* Otherwise go_on() would take the same input again, when the
	 * connection may be in HTTP_WRITING. */
	(void)event_del(conn->turn);
	/* Some clients send an empty line after a body.  RFC 9112, 2.2. */
	while (len >= 2 && data[0] == '\r' && data[1] == '\n') {
		data += 2;
		len -= 2;
		conn->seen = 0;
		conn->empty++;
	}
	if (conn->empty > EMPTY_MOST) {
		exchange(conn, NULL, 0, 400);
		return;
	}
	if (!len) {
		http_conn_forget_input(conn);
		http_conn_listen(conn, true);
		return;
	}
	n = http_head_end(data, len, conn->seen);
	if (n > 0)
		take_head(conn, data, len, (size_t)n);
	else if (n == 0)
		partial_head(conn, data, len);
	else
		exchange(conn, NULL, 0, 400);
}

static void go_on(evutil_socket_t fd, short what, void *arg)
{
	struct http_conn *conn = arg;

	(void)fd;
	(void)what;
	if (conn->in &&
		(conn->state == HTTP_READING || conn->state == HTTP_WAITING))
		take(conn, conn->in, conn->in_len);
}

void http_serve_read(struct http_conn *conn)
{
	char bytes[HTTP_HEAD_MAX];
	char *to = conn->in ? conn->in + conn->in_len : bytes;
	size_t room = HTTP_HEAD_MAX - conn->in_len;
	ssize_t n = recv(conn->fd, to, room, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	http_sources_spend(&conn->owner->sources, &conn->origin, READ_US);
	if (n < 0) {
		http_end(conn);
		return;
	}
	if (n == 0) {
		http_end_heard(conn);
		return;
	}
	if (!conn->in) {
		take(conn, bytes, (size_t)n);
		return;
	}
	conn->in_len += (size_t)n;
	take(conn, conn->in, conn->in_len);
}

static void readable(evutil_socket_t fd, short what, void *arg)
{
	struct http_conn *conn = arg;

	(void)fd;
	(void)what;
	if (conn->state == HTTP_LINGERING)
		http_end_discard(conn);
	else
		http_serve_read(conn);
}

/* The beginning and the end. */

struct http_conn *http_serve_new(struct http_owner *owner, int fd,
	const struct http_origin *origin, int64_t now_ms)
{
	struct http_conn *conn = calloc(1, sizeof(*conn));

	if (!conn) {
		(void)close(fd);
		return NULL;
	}
	conn->owner = owner;
	conn->fd = fd;
	conn->origin = *origin;
	conn->since_ms = now_ms;
	conn->out = evbuffer_new();
	conn->readable = event_new(
		owner->base, fd, EV_READ | EV_PERSIST, readable, conn);
	conn->writable = event_new(
		owner->base, fd, EV_WRITE | EV_PERSIST, writable, conn);
	conn->turn = evtimer_new(owner->base, go_on, conn);
	if (conn->out && conn->readable && conn->writable && conn->turn &&
		event_add(conn->readable, NULL) == 0)
		return conn;
	http_conn_free(conn);
	return NULL;
}
