/* SPDX-License-Identifier: MPL-2.0 */

/* Lingering connections, whose last bytes are still delivered. */

#include <errno.h>
#include <sys/socket.h>

#include "peers/conn_reread.h"
#include "peers/conn_destroy.h"
#include "peers/conn_io.h"
#include "peers/conn_state.h"
#include "peers/linger.h"
#include "peers/linger_records.h"
#include "peers/peers_state.h"
#include "peers/socket_end.h"
#include "tls/tls_conn.h"

/* How long a connection lingers. */
#define LINGER_MS 3000
/*
 * How many bytes that a peer sends meanwhile are read and discarded: more than
 * are in flight on most paths.  If it sends more, nothing more is read.
 */
#define LINGER_DISCARD 1048576
/* How often a lingering connection is checked while the server stops. */
#define LINGER_LOOK_MS 100

/* Whether its session has left it bytes to deliver, and no more can follow: all
 * that the other side sent was read, or the rest is lost anyway. */
static bool left_by_session(
	const struct relay_conn *conn, enum relay_reason reason)
{
	return (reason == RELAY_END_EOF || reason == RELAY_END_RESET) &&
	       !conn->truncated && socket_owes(conn->fd) > 0;
}

/* Whether the peer's kernel has all that we sent, and all that the peer sent
 * was read: closing a socket with unread bytes resets it. */
static bool delivered(const struct relay_conn *conn)
{
	return socket_unread(conn->fd) == 0 && socket_owes(conn->fd) == 0;
}

bool linger_wanted(const struct relay_conn *conn, enum relay_reason reason)
{
	struct worker *worker = conn->worker;
	struct peers *peers = peers_of(worker);

	if (conn->phase == CONN_PAIRED && !peers->stopping)
		return left_by_session(conn, reason);
	if (!conn->wrote)
		return false;
	/* A peer that sends no more may still read what is queued. */
	if (conn->at_eof && !conn->queue && socket_owes(conn->fd) == 0)
		return false;
	if (peers->stopping && (loop_clock_ms() >= peers->grace_until_ms ||
				       (!conn->queue && delivered(conn))))
		return false;
	return reason != RELAY_END_RESET && reason != RELAY_END_TIMEOUT &&
	       reason != RELAY_END_OVERFLOW && reason != RELAY_END_ERROR;
}

static void linger_for(struct relay_conn *conn)
{
	struct worker *worker = conn->worker;
	struct peers *peers = peers_of(worker);
	int64_t now = loop_clock_ms(), until = now + LINGER_MS;

	if (peers->stopping) /* no event tells when all is delivered */
		until = now + LINGER_LOOK_MS < peers->grace_until_ms
				? now + LINGER_LOOK_MS
				: peers->grace_until_ms;
	deadline_set(conn->worker, &conn->deadline, until);
}

static void cut(struct relay_conn *conn)
{
	conn->close_by = CLOSE_BY_RESET;
	conn_destroy(conn);
}

static void give_up(struct relay_conn *conn)
{
	if (socket_owes(conn->fd) > 0)
		conn->close_by = CLOSE_BY_RESET;
	conn_destroy(conn);
}

static bool may_go_on(struct relay_conn *conn)
{
	bool takes = linger_record_takes(
		conn->lingering, socket_owes(conn->fd), loop_clock_ms());

	return conn->ended && takes && linger_record_measure(conn);
}

static void linger_due(struct deadline *deadline)
{
	struct relay_conn *conn =
		(struct relay_conn *)(void *)((char *)deadline -
					      offsetof(struct relay_conn,
						      deadline));
	struct worker *worker = conn->worker;
	struct peers *peers = peers_of(worker);

	if (peers->stopping ? loop_clock_ms() >= peers->grace_until_ms
			    : !may_go_on(conn)) {
		give_up(conn);
		return;
	}
	linger_for(conn);
	linger(conn);
}

int linger_begin(struct relay_conn *conn)
{
	const bool session = conn->phase == CONN_PAIRED;
	struct relay_conn *instead;

	if (!linger_has_place(conn, session, &instead))
		return -1;
	if (instead)
		cut(instead);
	if (linger_record_add(conn, session) != 0)
		return -1;
	conn->phase = CONN_LINGERING;
	conn->ended = false; /* while lingering it means: our FIN was sent */
	conn->deadline.due = linger_due;
	linger_for(conn);
	return 0;
}

/* Sends what is queued, then close_notify (TLS) and FIN.  1: all was sent; 0:
 * not yet; -1: failed. */
static int send_end(struct relay_conn *conn)
{
	int flushed = conn_flush(conn);

	if (flushed != 1 || conn->ended)
		return flushed;
	conn->ended = true;
	if (conn->tls)
		tls_conn_close(conn->tls, conn->fd);
	return shutdown(conn->fd, SHUT_WR) == 0 ? 1 : -1;
}

/* Nothing more is read.  The peer may still take what we sent until the
 * deadline. */
static void discard_limit_reached(struct relay_conn *conn, bool flushed)
{
	if (flushed && socket_owes(conn->fd) == 0)
		cut(conn);
}

/*
 * Sends FIN once the queue is empty, then reads and discards bytes until the
 * peer has closed, up to LINGER_DISCARD: closing a socket with unread bytes
 * resets the connection, and then the peer loses what it has not read yet.  The
 * socket also stays open until the peer's kernel has everything: otherwise our
 * kernel would hold the rest for minutes.
 */
void linger(struct relay_conn *conn)
{
	/* The kernel discards, and copies nothing (MSG_TRUNC in tcp(7)). */
	char waste[16384];
	ssize_t got = 1;
	uint32_t *discarded = &conn->lingering->discarded;
	int flushed = send_end(conn);

	if (flushed < 0) {
		conn_destroy(conn);
		return;
	}
	for (int i = 0; i < 4 && got > 0 && *discarded < LINGER_DISCARD; i++) {
		got = recv(conn->fd, waste, sizeof(waste), MSG_TRUNC);
		*discarded += got > 0 ? (uint32_t)got : 0;
	}
	if (*discarded >= LINGER_DISCARD)
		discard_limit_reached(conn, flushed == 1);
	else if (got > 0)
		conn_reread_add(conn);
	else if (got == 0 ? flushed == 1 && socket_owes(conn->fd) == 0
			  : errno != EAGAIN && errno != EINTR)
		conn_destroy(conn);
	else if (peers_of(conn->worker)->stopping && flushed == 1 &&
		 delivered(conn))
		conn_destroy(conn);
}
