/* SPDX-License-Identifier: MPL-2.0 */

/* Connections: reading and writing, plain or through TLS. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "peers/conn_reread.h"
#include "peers/conn_io.h"
#include "peers/conn_record_limit.h"
#include "peers/conn_state.h"
#include "peers/peers_state.h"
#include "tls/tls_conn.h"

/* Bytes that the socket did not take yet; freed when it is empty. */
struct conn_queue {
	size_t at, len;
	unsigned char data[RELAY_CONN_QUEUE];
};

/* Marks the connection as failed.  A module still uses it, so it is closed
 * after the hook. */
static ssize_t fail(struct relay_conn *conn, enum relay_reason reason)
{
	if (!conn->ended) {
		conn->ended = true;
		conn->end_reason = (uint8_t)reason;
		conn_reread_add(conn);
	}
	return -1;
}

static ssize_t read_tls(struct relay_conn *conn, void *buf, size_t len)
{
	size_t got = 0;
	enum tls_result result =
		tls_conn_read(conn->tls, conn->fd, buf, len, &got);

	conn->read_waits = result == TLS_NEEDS_WRITE;
	switch (result) {
	case TLS_DONE:
		return (ssize_t)got;
	case TLS_DATALESS:
		if (conn_record_limit_reached(conn))
			return fail(conn, RELAY_END_TLS);
		conn_reread_add(conn);
		return 0;
	case TLS_AGAIN:
	case TLS_NEEDS_WRITE:
		return 0;
	case TLS_NOTIFIED:
		conn->notified = true;
		break;
	case TLS_EOF:
	case TLS_RESET:
	case TLS_BROKEN:
		break;
	}
	conn->at_eof = true;
	if (result == TLS_BROKEN)
		return fail(conn, RELAY_END_TLS);
	return fail(
		conn, result == TLS_RESET ? RELAY_END_RESET : RELAY_END_EOF);
}

static ssize_t read_again(struct relay_conn *conn, void *buf, size_t len)
{
	struct conn_unread *unread = conn->unread;
	size_t left = unread->len - unread->at;

	if (len > left)
		len = left;
	memcpy(buf, unread->data + unread->at, len);
	unread->at += len;
	if (len == left) {
		free(unread);
		conn->unread = NULL;
	}
	return (ssize_t)len;
}

ssize_t relay_conn_read(struct relay_conn *conn, void *buf, size_t len)
{
	ssize_t got;

	conn->unread_now = false;
	if (conn->ended || conn->phase > CONN_TAKEN)
		return -1;
	if (conn->unread)
		return read_again(conn, buf, len);
	if (conn->tls)
		return read_tls(conn, buf, len);
	got = recv(conn->fd, buf, len, 0);
	if (got > 0)
		return got;
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	conn->at_eof = true;
	return fail(conn, got == 0 ? RELAY_END_EOF : RELAY_END_RESET);
}

ssize_t relay_conn_peek(const struct relay_conn *conn, void *buf, size_t len)
{
	const struct conn_unread *unread = conn->unread;
	size_t before = 0;
	ssize_t got;

	if (conn->ended || conn->phase > CONN_TAKEN || conn->tls)
		return -1;
	if (unread) {
		before = unread->len - unread->at;
		if (before > len)
			before = len;
		memcpy(buf, unread->data + unread->at, before);
	}
	got = recv(conn->fd, (char *)buf + before, len - before, MSG_PEEK);
	if (got > 0 || before > 0)
		return (ssize_t)before + (got > 0 ? got : 0);
	return got < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

/* Returns how much was sent: less than len if the socket is full, -1 on
 * failure. */
static ssize_t send_some(struct relay_conn *conn, const void *buf, size_t len)
{
	enum tls_result result;
	size_t put = 0;
	ssize_t sent;

	conn->wrote = true;
	if (!conn->tls) {
		sent = send(conn->fd, buf, len, MSG_NOSIGNAL);
		if (sent >= 0)
			return sent;
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	}
	result = tls_conn_write(conn->tls, conn->fd, buf, len, &put);
	if (result == TLS_DONE)
		return (ssize_t)put;
	return result == TLS_AGAIN ? 0 : -1;
}

static int enqueue(struct relay_conn *conn, const void *buf, size_t len)
{
	struct conn_queue *queue = conn->queue;

	if (!queue) {
		queue = malloc(sizeof(*queue));
		if (!queue)
			return -1;
		queue->at = queue->len = 0;
		conn->queue = queue;
	}
	if (queue->at) {
		memmove(queue->data, queue->data + queue->at, queue->len);
		queue->at = 0;
	}
	memcpy(queue->data + queue->len, buf, len);
	queue->len += len;
	return 0;
}

int relay_conn_write(struct relay_conn *conn, const void *buf, size_t len)
{
	ssize_t sent = 0;

	if (conn->ended || conn->phase > CONN_TAKEN)
		return 0;
	if (len > RELAY_CONN_QUEUE - (conn->queue ? conn->queue->len : 0))
		return -1;
	if (!conn->queue)
		sent = send_some(conn, buf, len);
	if (sent < 0) {
		fail(conn, RELAY_END_RESET);
		return 0;
	}
	if ((size_t)sent < len &&
		enqueue(conn, (const char *)buf + sent, len - (size_t)sent))
		fail(conn, RELAY_END_ERROR);
	return 0;
}

int conn_flush(struct relay_conn *conn)
{
	struct conn_queue *queue = conn->queue;
	ssize_t sent;

	if (!queue)
		return 1;
	/* OpenSSL may send less than a whole queue at once, although the socket
	 * has room. */
	while (queue->len) {
		sent = send_some(conn, queue->data + queue->at, queue->len);
		if (sent <= 0)
			return (int)sent;
		queue->at += (size_t)sent;
		queue->len -= (size_t)sent;
	}
	free(queue);
	conn->queue = NULL;
	return 1;
}

void conn_take_queue(struct relay_conn *conn, unsigned char **data, size_t *len)
{
	struct conn_queue *queue = conn->queue;

	*data = NULL;
	*len = 0;
	if (!queue)
		return;
	/* The pump frees this memory, so the bytes move to its start. */
	*len = queue->len;
	memmove(queue, queue->data + queue->at, queue->len);
	*data = (unsigned char *)queue;
	conn->queue = NULL;
}
