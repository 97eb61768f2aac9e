/* SPDX-License-Identifier: MPL-2.0 */

/* One HTTP connection: its state. */

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>

#include "base/clock.h"
#include "http/http_conn.h"

void http_conn_enter(struct http_conn *conn, enum http_conn_state state)
{
	conn->state = state;
	conn->since_ms = clock_ms();
}

void http_conn_listen(struct http_conn *conn, bool on)
{
	if (on)
		(void)event_add(conn->readable, NULL);
	else
		(void)event_del(conn->readable);
}

void http_conn_forget_input(struct http_conn *conn)
{
	free(conn->in);
	conn->in = NULL;
	conn->in_len = conn->seen = 0;
}

bool http_conn_has_input(const struct http_conn *conn)
{
	char byte;

	return recv(conn->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

ssize_t http_conn_discard(const struct http_conn *conn)
{
	char bytes[HTTP_HEAD_MAX];

	return recv(conn->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
}

static bool again(void)
{
	return errno == EAGAIN || errno == EINTR;
}

int http_conn_send(struct http_conn *conn)
{
	struct evbuffer_iovec part;

	/* For an empty buffer it may return -1, with an old errno. */
	if (evbuffer_get_length(conn->out) == 0 ||
		evbuffer_write(conn->out, conn->fd) >= 0 || again())
		return 0;
	/* It uses writev(2), which may be refused. */
	while (evbuffer_peek(conn->out, -1, NULL, &part, 1) > 0) {
		ssize_t sent = send(conn->fd, part.iov_base, part.iov_len,
			MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent < 0)
			return again() ? 0 : -1;
		(void)evbuffer_drain(conn->out, (size_t)sent);
	}
	return 0;
}

void http_conn_free(struct http_conn *conn)
{
	if (conn->readable)
		event_free(conn->readable);
	if (conn->writable)
		event_free(conn->writable);
	if (conn->turn)
		event_free(conn->turn);
	if (conn->out)
		evbuffer_free(conn->out);
	(void)close(conn->fd);
	free(conn->in);
	free(conn);
}
