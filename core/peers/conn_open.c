/* SPDX-License-Identifier: MPL-2.0 */

/* Connections: from accept to the module that speaks for them. */

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>

#include "peers/conn.h"
#include "peers/conn_hello.h"
#include "peers/peer_metrics.h"
#include "net/net_metrics.h"
#include "peers/handshakes.h"
#include "net/capacity.h"
#include "log/log.h"
#include "peers/session.h"
#include "peers/socket_end.h"
#include "tls/tls.h"
#include "tls/tls_failure.h"
#include "tls/tls_step.h"
#include "loop/trim.h"

/* Until a module sets a deadline of its own. */
#define OPENING_MS 60000
/* RFC 8446, 5.1: the content type of a handshake record. */
#define TLS_HANDSHAKE 0x16

static void refused(struct relay_conn *conn, const struct relay_denial *why)
{
	char addr[RELAY_ADDR_TEXT];
	struct relay_field fields[] = {
		{"peer", addr}, {"why", why->word}, {NULL, NULL}};

	peer_count(conn->worker->shard, PEER_CONNECTIONS_REFUSED,
		PEER_REFUSED_FILTER, 1);
	if (!relay_log_wanted(RELAY_DEBUG))
		return;
	relay_conn_addr_text(conn, addr);
	log_core_fields(RELAY_DEBUG, fields, "refused a connection");
}

/* Asks who will speak for it; ends it if nobody does. */
static void offer(struct relay_conn *conn)
{
	struct worker *worker = conn->worker;
	struct relay_denial why = {RELAY_REFUSE_POLICY, "nobody"};
	enum relay_verdict verdict;

	conn->owner = NULL;
	verdict = hooks_conn_open(worker->hooks, conn, &why, &conn->owner);
	if (conn->phase > CONN_TAKEN)
		return;
	peer_count(worker->shard, PEER_CONNECTIONS, PEER_CONN_OPENING, -1);
	peer_count(worker->shard, PEER_CONNECTIONS,
		conn->ssl ? PEER_CONN_TLS : PEER_CONN_PLAIN, 1);
	conn->phase = CONN_TAKEN;
	if (verdict != RELAY_TAKE) {
		refused(conn, &why);
		conn_end(conn, RELAY_END_DENIED);
		return;
	}
	hooks_conn_readable(conn->owner, conn);
}

static void handshake_failed(struct relay_conn *conn, int error)
{
	unsigned long code = ERR_peek_error();
	const char *text = ERR_reason_error_string(code);
	enum tls_failure kind = tls_failure(error, code);

	if (tls_step_refused(&kind))
		text = kind == TLS_FAILURE_HELLO
			       ? "its ClientHello has too many key shares"
			       : "its certificate costs too much";
	conn->at_eof = kind == TLS_FAILURE_CLOSED;
	conn_handshake_failed(conn, kind,
		conn->at_eof ? RELAY_END_EOF : RELAY_END_TLS,
		text ? text : "closed");
}

void conn_handshake(struct relay_conn *conn)
{
	int done, error;
	bool cut;

	if (!conn->ssl)
		conn->ssl = tls_accept(conn->worker->tls_io);
	if (!conn->ssl) {
		conn_end(conn, RELAY_END_ERROR);
		return;
	}
	ERR_clear_error();
	tls_step_begin();
	done = SSL_do_handshake(conn_tls(conn));
	cut = tls_step_end();
	if (done != 1) {
		error = SSL_get_error(conn->ssl, done);
		if (error != SSL_ERROR_WANT_READ &&
			error != SSL_ERROR_WANT_WRITE)
			handshake_failed(conn, error);
		else if (cut && conn_hello_more(conn))
			handshakes_later(conn);
		return;
	}
	trim_note();
	peer_count(conn->worker->shard, PEER_HANDSHAKES, PEER_HANDSHAKE_OK, 1);
	peer_observe(conn->worker->shard, PEER_HANDSHAKE_DURATION, 0,
		loop_clock_us() - conn->opened_us);
	conn->certs = (uint8_t)tls_take_peer(conn->ssl, conn->peer);
	offer(conn);
}

void conn_first_byte(struct relay_conn *conn)
{
	unsigned char byte;
	ssize_t got;

	if (conn->unread) { /* only plain ones change hands */
		conn->said = true;
		offer(conn);
		return;
	}
	got = recv(conn->fd, &byte, 1, MSG_PEEK);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		conn_end(conn, got == 0 ? RELAY_END_EOF : RELAY_END_RESET);
		return;
	}
	conn->said = true;
	if (byte != TLS_HANDSHAKE) {
		offer(conn);
		return;
	}
	conn->phase = CONN_HANDSHAKE;
	if (conn_hello_ready(conn))
		handshakes_step(conn);
}

static void taken_event(struct relay_conn *conn, short what)
{
	if ((what & EV_WRITE) && conn->queue && conn_flush(conn) < 0) {
		conn_end(conn, RELAY_END_RESET);
		return;
	}
	if (conn->stalled && (what & EV_WRITE)) {
		conn->stalled = false;
		what |= EV_READ;
	}
	conn->unread_now = true;
	if (conn->phase == CONN_TAKEN && (what & (EV_READ | EV_CLOSED)))
		hooks_conn_readable(conn->owner, conn);
	/* A module that saw the end leaves the closing to us. */
	if (conn->phase == CONN_TAKEN && conn->ended)
		conn_end(conn, (enum relay_reason)conn->end_reason);
	/* A module that does not read hears nothing of a reset. */
	else if (conn->phase == CONN_TAKEN && conn->unread_now &&
		 socket_broken(conn->fd))
		conn_end(conn, RELAY_END_RESET);
}

void conn_event(evutil_socket_t fd, short what, void *arg)
{
	struct relay_conn *conn = arg;
	struct worker *worker = conn->worker;

	(void)fd;
	loop_tick(&worker->loop);
	if (what & EV_CLOSED)
		conn->hung_up = true;
	switch ((enum conn_phase)conn->phase) {
	case CONN_OPENING:
		conn_first_byte(conn);
		break;
	case CONN_HANDSHAKE:
		if (conn_hello_ready(conn))
			handshakes_step(conn);
		break;
	case CONN_TAKEN:
		taken_event(conn, what);
		break;
	case CONN_PAIRED:
		session_event(conn->session, conn->side, what);
		break;
	case CONN_LINGERING:
		conn_run_again(conn);
		break;
	case CONN_MOVING:
	case CONN_DEAD:
		break;
	}
	loop_event_over(&worker->loop);
}

static void deadline_due(struct deadline *deadline)
{
	struct relay_conn *conn =
		(struct relay_conn *)(void *)((char *)deadline -
					      offsetof(struct relay_conn,
						      deadline));

	if (conn->phase == CONN_HANDSHAKE) {
		peer_count(conn->worker->shard, PEER_HANDSHAKES,
			PEER_HANDSHAKE_FAILED, 1);
		peer_count(conn->worker->shard, PEER_HANDSHAKE_FAILURES,
			TLS_FAILURE_TIMEOUT, 1);
	}
	if (conn->phase == CONN_TAKEN)
		hooks_conn_deadline(conn->owner, conn);
	else
		conn_end(conn, RELAY_END_TIMEOUT);
}

int conn_watch(struct relay_conn *conn)
{
	conn->deadline.due = deadline_due;
	/* Edge-triggered for both directions: never changed while it lives. */
	if (event_assign(&conn->event, conn->worker->loop.base, conn->fd,
		    EV_READ | EV_WRITE | EV_CLOSED | EV_ET | EV_PERSIST,
		    conn_event, conn) != 0)
		return -1;
	return event_add(&conn->event, NULL);
}

static struct relay_conn *conn_make(
	struct worker *worker, int fd, const struct sockaddr_storage *from)
{
	const struct layout *layout = worker->hooks->layout;
	struct relay_conn *conn = calloc(1, sizeof(*conn) + layout->conn_bytes);

	if (!conn)
		return NULL;
	conn->worker = worker;
	conn->layout = layout;
	conn->fd = fd;
	conn_set_address(conn, from);
	conn->id = object_table_add(&worker->conns, conn);
	if (conn->id && strangers_enter(&worker->strangers, conn) == 0 &&
		conn_watch(conn) == 0)
		return conn;
	strangers_leave(&worker->strangers, conn, false, 0);
	object_table_remove(&worker->conns, conn->id);
	free(conn);
	return NULL;
}

/* NULL: it is closed, or ended. */
static struct relay_conn *take_in(
	struct worker *worker, int fd, const struct sockaddr_storage *from)
{
	struct relay_denial why = {RELAY_REFUSE_POLICY, "refused"};
	struct relay_conn *conn;
	int on = 1;

	/* Small messages of sessions must not wait for each other. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	conn = conn_make(worker, fd, from);
	if (!conn) {
		net_count(
			worker->shard, NET_ACCEPT_ERRORS, NET_ACCEPT_MEMORY, 1);
		capacity_leave();
		close(fd);
		return NULL;
	}
	peer_count(worker->shard, PEER_CONNECTIONS_ACCEPTED, 0, 1);
	peer_count(worker->shard, PEER_CONNECTIONS, PEER_CONN_OPENING, 1);
	relay_conn_deadline(conn, OPENING_MS);
	if (hooks_conn_accept(worker->hooks, conn, &why, &conn->asked) !=
		RELAY_PASS) {
		refused(conn, &why);
		conn_end(conn, RELAY_END_DENIED);
	}
	return conn->phase == CONN_OPENING ? conn : NULL;
}

void conn_accept(
	struct worker *worker, int fd, const struct sockaddr_storage *from)
{
	(void)take_in(worker, fd, from);
}

void conn_accept_read(struct worker *worker, int fd,
	const struct sockaddr_storage *from, const void *data, size_t len)
{
	struct relay_conn *conn = take_in(worker, fd, from);

	if (!conn || len == 0)
		return;
	conn->unread = malloc(sizeof(*conn->unread) + len);
	if (!conn->unread) {
		conn_end(conn, RELAY_END_ERROR);
		return;
	}
	conn->unread->at = 0;
	conn->unread->len = len;
	memcpy(conn->unread->data, data, len);
	conn_first_byte(conn); /* nothing else may come to wake it */
}

int relay_conn_alpn(struct relay_ctx *cx, const char *name)
{
	(void)cx;
	return tls_alpn_add(name);
}
