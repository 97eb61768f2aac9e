/* SPDX-License-Identifier: MPL-2.0 */

/* Connections: reading, writing, and the one way to end. */

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>

#include "peers/conn.h"
#include "peers/conn_quiet.h"
#include "peers/peer_metrics.h"
#include "net/capacity.h"
#include "peers/linger.h"
#include "log/log.h"
#include "peers/session.h"
#include "peers/socket_end.h"
#include "tls/tls.h"
#include "loop/trim.h"
#include "peers/turn.h"

/* What the socket did not take; freed when it is empty. */
struct conn_queue {
	size_t at, len;
	unsigned char data[RELAY_CONN_QUEUE];
};

void *relay_conn_data(const struct relay_ctx *cx, const struct relay_conn *conn)
{
	const struct relay_module *mod = cx->mod;

	if (!layout_has(conn->layout, mod))
		return NULL;
	/* The block is the module's own, whoever looks at the connection. */
	return (void *)(uintptr_t)(conn->blocks +
				   conn->layout->at[mod->slot].conn);
}

uint64_t relay_conn_id(const struct relay_conn *conn)
{
	return conn->id;
}

struct relay_conn *relay_conn_find(struct relay_ctx *cx, uint64_t id)
{
	return object_table_find(
		&worker_of(module_ctx_of(cx)->loop)->conns, id);
}

bool relay_conn_is_tls(const struct relay_conn *conn)
{
	return conn->ssl != NULL;
}

const uint8_t *relay_conn_peer(const struct relay_conn *conn)
{
	return conn->certs == 1 || conn->named ? conn->peer : NULL;
}

void relay_conn_set_peer(
	struct relay_conn *conn, const uint8_t id[RELAY_DEVICE_ID_LEN])
{
	if (conn->ssl) /* what was proven stands */
		return;
	memcpy(conn->peer, id, RELAY_DEVICE_ID_LEN);
	conn->named = true;
}

unsigned relay_conn_peer_certs(const struct relay_conn *conn)
{
	return conn->certs;
}

/* The caller may not close under a module's feet: the turn's end does. */
static ssize_t fail(struct relay_conn *conn, enum relay_reason reason)
{
	if (!conn->ended) {
		conn->ended = true;
		conn->end_reason = (uint8_t)reason;
		turn_add_conn(conn);
	}
	return -1;
}

SSL *conn_tls(const struct relay_conn *conn)
{
	tls_io_at(conn->worker->tls_io, conn->fd);
	return conn->ssl;
}

static ssize_t read_tls(struct relay_conn *conn, void *buf, size_t len)
{
	size_t got;
	int error;

	ERR_clear_error();
	errno = 0;
	if (SSL_read_ex(conn_tls(conn), buf, len, &got) == 1)
		return (ssize_t)got;
	error = SSL_get_error(conn->ssl, 0);
	if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
		/* A record without data was read; the socket may have more. */
		if (error == SSL_ERROR_WANT_READ && errno != EAGAIN) {
			if (conn_quiet_too_often(conn))
				return fail(conn, RELAY_END_TLS);
			turn_add_conn(conn);
		}
		conn->stalled = error == SSL_ERROR_WANT_WRITE;
		return 0;
	}
	conn->at_eof = true;
	if (error == SSL_ERROR_ZERO_RETURN)
		return fail(conn, RELAY_END_EOF);
	if (error == SSL_ERROR_SYSCALL)
		return fail(conn, errno == 0 ? RELAY_END_EOF : RELAY_END_RESET);
	/* OpenSSL 3 calls an end without close_notify an error. */
	if (ERR_GET_REASON(ERR_peek_error()) ==
		SSL_R_UNEXPECTED_EOF_WHILE_READING)
		return fail(conn, RELAY_END_EOF);
	return fail(conn, RELAY_END_TLS);
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
	if (conn->ssl)
		return read_tls(conn, buf, len);
	got = recv(conn->fd, buf, len, 0);
	if (got > 0)
		return got;
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	conn->at_eof = true;
	return fail(conn, got == 0 ? RELAY_END_EOF : RELAY_END_RESET);
}

void relay_conn_again(struct relay_conn *conn)
{
	turn_add_conn(conn);
}

/* How much was sent; less than len when the socket is full, -1 on failure. */
static ssize_t send_some(struct relay_conn *conn, const void *buf, size_t len)
{
	size_t put;
	ssize_t sent;
	int error;

	conn->spoke = true;
	if (!conn->ssl) {
		sent = send(conn->fd, buf, len, MSG_NOSIGNAL);
		if (sent >= 0)
			return sent;
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	}
	ERR_clear_error();
	if (SSL_write_ex(conn_tls(conn), buf, len, &put) == 1)
		return (ssize_t)put;
	error = SSL_get_error(conn->ssl, 0);
	return error == SSL_ERROR_WANT_WRITE || error == SSL_ERROR_WANT_READ
		       ? 0
		       : -1;
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
	/* Until the socket is full: OpenSSL may send less than a queue at once.
	 */
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
	/* The pump's buffers begin at their first byte. */
	*len = queue->len;
	memmove(queue, queue->data + queue->at, queue->len);
	*data = (unsigned char *)queue;
	conn->queue = NULL;
}

void relay_conn_deadline(struct relay_conn *conn, int64_t after_ms)
{
	if (conn->phase > CONN_TAKEN)
		return;
	if (after_ms < 0)
		worker_deadline_clear(conn->worker, &conn->deadline);
	else
		worker_deadline(conn->worker, &conn->deadline,
			loop_clock_ms() + after_ms);
}

void relay_conn_keepalive(struct relay_conn *conn, int64_t idle_ms)
{
	/* 32767 s is the kernel's bound. */
	int on = 1,
	    seconds = idle_ms > 32767000 ? 32767 : (int)(idle_ms / 1000);

	if (seconds < 1)
		seconds = 1;
	/* Without it a dead peer is only noticed later. */
	if (setsockopt(conn->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)) ||
		setsockopt(conn->fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds,
			sizeof(seconds)) ||
		setsockopt(conn->fd, IPPROTO_TCP, TCP_KEEPINTVL, &seconds,
			sizeof(seconds)))
		log_core(RELAY_DEBUG, "no keep-alive: %s", strerror(errno));
}

void conn_destroy(struct relay_conn *conn)
{
	struct worker *worker = conn->worker;

	if (conn->phase == CONN_LINGERING)
		linger_over(worker);
	worker_deadline_clear(worker, &conn->deadline);
	event_del(&conn->event);
	if (conn->ssl) {
		SSL_free(conn->ssl);
		conn->ssl = NULL;
		trim_note();
	}
	free(conn->queue);
	conn->queue = NULL;
	free(conn->unread);
	conn->unread = NULL;
	socket_end(conn);
	conn->fd = -1;
	capacity_leave();
	if (conn->settled)
		capacity_unsettle();
	strangers_leave(&worker->strangers, conn, conn->said, loop_clock_ms());
	conn->phase = CONN_DEAD;
	conn->next = worker->dead;
	worker->dead = conn;
}

void conn_reap(struct worker *worker)
{
	struct relay_conn *conn, *later = NULL;

	conn_send_off(worker);
	conn = worker->dead;
	while (conn) {
		struct relay_conn *next = conn->next;

		if (conn->again) { /* the list `again` still points to it */
			conn->next = later;
			later = conn;
		} else {
			free(conn);
		}
		conn = next;
	}
	worker->dead = later;
}

void conn_run_again(struct relay_conn *conn)
{
	if (conn->phase == CONN_LINGERING)
		linger(conn);
	else if (conn->phase == CONN_TAKEN && !conn->ended)
		hooks_conn_readable(conn->owner, conn);
	/* A module that saw the end leaves the closing to us. */
	if (conn->phase == CONN_TAKEN && conn->ended)
		conn_end(conn, (enum relay_reason)conn->end_reason);
}

static enum peer_conn_label phase_label(const struct relay_conn *conn)
{
	if (conn->phase < CONN_TAKEN)
		return PEER_CONN_OPENING;
	return conn->ssl ? PEER_CONN_TLS : PEER_CONN_PLAIN;
}

void conn_end(struct relay_conn *conn, enum relay_reason reason)
{
	struct worker *worker = conn->worker;

	if (conn->phase >= CONN_LINGERING)
		return;
	peer_count(worker->shard, PEER_CONNECTIONS, phase_label(conn), -1);
	peer_count(worker->shard, PEER_CONNECTIONS_CLOSED, reason, 1);
	object_table_remove(&worker->conns, conn->id);
	if (!linger_wanted(conn, reason)) {
		conn->close_by = (uint8_t)socket_end_by(conn, reason);
		/* A polite end where it costs nothing. */
		if (conn->close_by != CLOSE_BY_RESET && conn->ssl &&
			conn->phase == CONN_TAKEN && !conn->ended) {
			ERR_clear_error();
			SSL_shutdown(conn_tls(conn));
		}
		hooks_conn_close(
			worker->hooks, conn->layout, conn, reason, conn->asked);
		conn_destroy(conn);
		return;
	}
	linger_begin(conn);
	hooks_conn_close(
		worker->hooks, conn->layout, conn, reason, conn->asked);
	linger(conn);
}

void conn_evict(struct relay_conn *conn)
{
	conn->close_by = CLOSE_BY_RESET; /* its kernel memory is free, too */
	if (conn->phase == CONN_LINGERING) {
		conn_destroy(conn);
		return;
	}
	conn->spoke = false; /* nothing is worth waiting for */
	conn_end(conn, RELAY_END_LIMIT);
}

void relay_conn_close(struct relay_conn *conn, enum relay_reason reason)
{
	if (conn->phase == CONN_PAIRED)
		session_end(conn->session, reason);
	else
		conn_end(conn, reason);
}
