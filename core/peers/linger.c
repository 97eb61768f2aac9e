/* SPDX-License-Identifier: MPL-2.0 */

/* Connections whose last bytes are on their way. */

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <openssl/err.h>

#include "peers/peer_metrics.h"
#include "peers/conn_again.h"
#include "peers/conn_destroy.h"
#include "peers/conn_io.h"
#include "peers/conn_state.h"
#include "peers/linger.h"
#include "peers/peers_state.h"
#include "peers/socket_end.h"

/*
 * How long last bytes may take, and how many connections of one worker may be
 * in that state: more of them are closed at once.
 */
#define LINGER_MS   3000
#define LINGER_MOST 1024
/*
 * A slow reader's session may leave more than it reads in that time: it goes on
 * while this much leaves, 1 KiB a second.
 */
#define LINGER_PROGRESS 3072
/* While the server stops: how often such a one is looked at. */
#define LINGER_LOOK_MS 100

/* Of the session's other side all was read, or what was not is lost anyway. */
static bool left_by_session(
	const struct relay_conn *conn, enum relay_reason reason)
{
	return (reason == RELAY_END_EOF || reason == RELAY_END_RESET) &&
	       !conn->truncated && socket_owes(conn->fd) > 0;
}

/* Whether the peer's kernel has all that we sent, and sent nothing that closing
 * would answer with a reset. */
static bool delivered(const struct relay_conn *conn)
{
	int unread = 0;

	return ioctl(conn->fd, FIONREAD, &unread) == 0 && unread == 0 &&
	       socket_owes(conn->fd) == 0;
}

bool linger_wanted(const struct relay_conn *conn, enum relay_reason reason)
{
	struct worker *worker = conn->worker;
	struct peers *peers = peers_of(worker);

	if (conn->phase == CONN_PAIRED && !peers->stopping)
		return peers->lingering < LINGER_MOST &&
		       left_by_session(conn, reason);
	if (!conn->spoke)
		return false;
	/* Who will send no more may still read what is queued. */
	if (conn->at_eof && !conn->queue && socket_owes(conn->fd) == 0)
		return false;
	if (peers->stopping ? loop_clock_ms() >= peers->grace_until_ms ||
				      (!conn->queue && delivered(conn))
			    : peers->lingering >= LINGER_MOST)
		return false;
	return reason != RELAY_END_RESET && reason != RELAY_END_TIMEOUT &&
	       reason != RELAY_END_OVERFLOW && reason != RELAY_END_ERROR;
}

static void linger_for(struct relay_conn *conn)
{
	struct worker *worker = conn->worker;
	struct peers *peers = peers_of(worker);
	int64_t now = loop_clock_ms(), until = now + LINGER_MS;

	if (peers->stopping) /* then nothing tells when it is delivered */
		until = now + LINGER_LOOK_MS < peers->grace_until_ms
				? now + LINGER_LOOK_MS
				: peers->grace_until_ms;
	deadline_set(conn->worker, &conn->deadline, until);
}

static void give_up(struct relay_conn *conn)
{
	if (socket_owes(conn->fd) > 0)
		conn->close_by = CLOSE_BY_RESET;
	conn_destroy(conn);
}

static bool goes_on(struct relay_conn *conn)
{
	int owed = socket_owes(conn->fd);
	bool leaves = owed > 0 && conn->owed - owed >= LINGER_PROGRESS;

	conn->owed = owed;
	return conn->ended && leaves;
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
			    : !goes_on(conn)) {
		give_up(conn);
		return;
	}
	linger_for(conn);
	linger(conn);
}

void linger_begin(struct relay_conn *conn)
{
	conn->phase = CONN_LINGERING;
	conn->ended = false; /* from here on: the goodbye was said */
	conn->owed = socket_owes(conn->fd);
	peers_of(conn->worker)->lingering++;
	peer_count(conn->worker->shard, PEER_LINGERING, 0, 1);
	conn->deadline.due = linger_due;
	linger_for(conn);
}

/* 1: all is on its way, and the end after it; 0: not yet; -1: failed. */
static int say_goodbye(struct relay_conn *conn)
{
	int flushed = conn_flush(conn);

	if (flushed != 1 || conn->ended)
		return flushed;
	conn->ended = true;
	if (conn->ssl) {
		ERR_clear_error();
		SSL_shutdown(conn_tls(conn));
	}
	return shutdown(conn->fd, SHUT_WR) == 0 ? 1 : -1;
}

/*
 * Says goodbye once the queue is empty, then reads and throws away until the
 * peer has gone: closing a socket with unread bytes resets it, and a reset
 * takes what we sent last from the peer's hands.  Nor is it closed while the
 * peer has not taken all: the kernel would go on holding that for minutes.
 */
void linger(struct relay_conn *conn)
{
	char waste[4096];
	ssize_t got = 1;
	int flushed = say_goodbye(conn);

	if (flushed < 0) {
		conn_destroy(conn);
		return;
	}
	for (int i = 0; i < 16 && got > 0; i++)
		got = recv(conn->fd, waste, sizeof(waste), 0);
	if (got > 0)
		conn_again_add(conn);
	else if (got == 0 ? flushed == 1 && socket_owes(conn->fd) == 0
			  : errno != EAGAIN && errno != EINTR)
		conn_destroy(conn);
	else if (peers_of(conn->worker)->stopping && flushed == 1 &&
		 delivered(conn))
		conn_destroy(conn);
}
