/* SPDX-License-Identifier: MPL-2.0 */

/* Ends connections that last too long, or whose place others need. */

#include <sys/socket.h>

#include <event2/buffer.h>

#include "http/http_timeouts.h"
#include "http/http_conn.h"
#include "http/http_end.h"
#include "http/http_reply.h"
#include "http/http_serve.h"

/* Answers a client whose connection is about to be closed. */
static void last_answer(struct http_conn *conn, int status)
{
	struct http_exchange x = {.out = conn->out,
		.fields = evbuffer_new(),
		.head = {.method = "", .minor = 1},
		.last = true};

	(void)event_del(conn->turn);
	http_conn_forget_input(conn);
	conn->last = true;
	if (x.fields) {
		if (status == 503)
			(void)http_reply_field(&x, "Retry-After", "1");
		http_reply_refuse(&x, status);
		evbuffer_free(x.fields);
	}
}

static int64_t limit_ms(enum http_conn_state state)
{
	switch (state) {
	case HTTP_SILENT:
		return HTTP_SILENT_MS;
	case HTTP_IDLE:
		return HTTP_IDLE_MS;
	case HTTP_READING:
		return HTTP_READING_MS;
	case HTTP_WAITING:
		return HTTP_WAITING_MS;
	case HTTP_WRITING:
		return HTTP_WRITING_MS;
	case HTTP_LINGERING:
		break;
	}
	return HTTP_LINGERING_MS;
}

static void expire(struct http_conn *conn)
{
	switch (conn->state) {
	case HTTP_SILENT:
		http_count(HTTP_ENDS, HTTP_END_REQUEST, 1);
		break;
	case HTTP_IDLE:
		http_count(HTTP_ENDS, HTTP_END_IDLE, 1);
		break;
	case HTTP_READING:
	case HTTP_WAITING:
		http_count(HTTP_ENDS,
			conn->state == HTTP_READING ? HTTP_END_REQUEST
						    : HTTP_END_DELAY,
			1);
		last_answer(conn, conn->state == HTTP_READING ? 408 : 503);
		http_serve_flush(conn, true);
		return;
	case HTTP_WRITING:
	case HTTP_LINGERING:
		http_count(HTTP_ENDS, HTTP_END_ANSWER, 1);
		break;
	}
	http_end(conn);
}

void http_timeouts_check(struct http_conn *conn, int64_t now_ms)
{
	bool late = now_ms - conn->since_ms > limit_ms(conn->state);

	if (conn->state == HTTP_LINGERING && http_end_arrived(conn) &&
		(late || !event_pending(conn->readable, EV_READ, NULL)))
		http_end(conn);
	/* A request may have arrived that was not read yet. */
	else if (late &&
		 (conn->state != HTTP_IDLE || !http_conn_has_input(conn)))
		expire(conn);
}

void http_conn_evict(struct http_conn *conn, enum http_end_reason why)
{
	bool asks = conn->state == HTTP_READING ||
		    conn->state == HTTP_WAITING || conn->state == HTTP_SILENT;

	http_count(HTTP_ENDS, why, 1);
	/* A client that has not taken earlier answers would not take this one.
	 */
	if (asks && http_end_arrived(conn)) {
		last_answer(conn, 503);
		(void)http_conn_send(conn);
		(void)shutdown(conn->fd, SHUT_WR);
		/* With unread input, close(2) would send a reset, and the
		 * client might lose the answer. */
		(void)http_conn_discard(conn);
		http_end_owing(conn);
	} else {
		http_end(conn);
	}
}
