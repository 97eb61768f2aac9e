/* SPDX-License-Identifier: MPL-2.0 */

/* Connections: handles the events of a socket, and its deadline. */

#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>

#include "peers/peer_metrics.h"
#include "tls/tls_failure.h"
#include "peers/conn_reread.h"
#include "peers/conn_end.h"
#include "peers/conn_event.h"
#include "peers/conn_hello.h"
#include "peers/conn_io.h"
#include "peers/conn_open.h"
#include "peers/conn_state.h"
#include "peers/handshakes.h"
#include "peers/linger.h"
#include "peers/peers_state.h"
#include "peers/session.h"
#include "peers/socket_end.h"

/* RFC 8446, 5.1: the content type of a handshake record. */
#define TLS_HANDSHAKE 0x16

/* After its module has run.  True: the connection is not the module's any
 * more. */
static bool is_over(struct relay_conn *conn)
{
	if (conn->phase != CONN_TAKEN)
		return true;
	/* Reads and writes only mark the end; the connection is closed here. */
	if (conn->ended)
		conn_end(conn, (enum relay_reason)conn->end_reason);
	/* While it waits, nothing is read from it. */
	else if ((conn->question || conn->waits) && conn->hung_up)
		conn_end(conn, RELAY_END_EOF);
	else
		return false;
	return true;
}

static void run_again(struct relay_conn *conn)
{
	if (conn->phase == CONN_LINGERING)
		linger(conn);
	else if (conn->phase == CONN_TAKEN && !conn->ended)
		hooks_conn_readable(conn->owner, conn);
	(void)is_over(conn);
}

bool conns_reread(struct worker *worker)
{
	struct peers *peers = peers_of(worker);
	struct relay_conn *list = peers->reread;

	peers->reread = NULL;
	while (list) {
		struct relay_conn *conn = list;

		list = conn->reread_next;
		conn->reread = false;
		if (conn->phase != CONN_DEAD)
			run_again(conn);
	}
	/* Connections added meanwhile have armed the next iteration. */
	return false;
}

void conn_first_byte(struct relay_conn *conn)
{
	unsigned char byte;
	ssize_t got;

	if (conn->unread) { /* never TLS: handed over by another process */
		conn->heard = true;
		conn_open(conn);
		return;
	}
	got = recv(conn->fd, &byte, 1, MSG_PEEK);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		conn_end(conn, got == 0 ? RELAY_END_EOF : RELAY_END_RESET);
		return;
	}
	conn->heard = true;
	if (byte != TLS_HANDSHAKE) {
		conn_open(conn);
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
	if (conn->read_waits && (what & EV_WRITE)) {
		conn->read_waits = false;
		what |= EV_READ;
	}
	conn->unread_now = true;
	if (conn->phase == CONN_TAKEN && (what & (EV_READ | EV_CLOSED)))
		hooks_conn_readable(conn->owner, conn);
	/* If the module did not read, no call has noticed a reset. */
	if (!is_over(conn) && conn->unread_now && socket_broken(conn->fd))
		conn_end(conn, RELAY_END_RESET);
}

static void conn_event(evutil_socket_t fd, short what, void *arg)
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
		run_again(conn);
		break;
	case CONN_MOVING:
	case CONN_DEAD:
		break;
	}
	loop_event_over(&worker->loop);
}

/*
 * After a stall of this thread or of the machine, what the peer has said in
 * time may lie unread: before a deadline is due, the loop reads all of it only
 * after the first stall in a while.  True: the deadline does not count any
 * more.
 */
static bool is_heard(struct relay_conn *conn)
{
	if (conn->question || conn->waits || socket_unread(conn->fd) <= 0)
		return false;
	hooks_conn_readable(conn->owner, conn);
	return is_over(conn) || wheel_entry_linked(&conn->deadline.entry);
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
	if (conn->phase != CONN_TAKEN)
		conn_end(conn, RELAY_END_TIMEOUT);
	else if (!is_heard(conn))
		hooks_conn_deadline(conn->owner, conn);
}

int conn_watch(struct relay_conn *conn)
{
	conn->deadline.due = deadline_due;
	/* Edge-triggered for both directions, so that the event need not be
	 * changed later. */
	if (event_assign(&conn->event, conn->worker->loop.base, conn->fd,
		    EV_READ | EV_WRITE | EV_CLOSED | EV_ET | EV_PERSIST,
		    conn_event, conn) != 0)
		return -1;
	return event_add(&conn->event, NULL);
}
