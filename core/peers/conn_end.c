/* SPDX-License-Identifier: MPL-2.0 */

/* Connections: the only way to end one. */

#include "peers/peer_metrics.h"
#include "peers/conn_destroy.h"
#include "peers/conn_end.h"
#include "peers/conn_state.h"
#include "peers/listener_facts.h"
#include "peers/linger.h"
#include "peers/peers_state.h"
#include "peers/question_end.h"
#include "peers/socket_end.h"
#include "tls/tls_conn.h"

static enum peer_conn_label phase_label(const struct relay_conn *conn)
{
	if (conn->phase < CONN_TAKEN)
		return PEER_CONN_OPENING;
	return conn->tls ? PEER_CONN_TLS : PEER_CONN_PLAIN;
}

/*
 * Sends close_notify if the socket takes it now, also after the peer's: RFC
 * 5246, 7.2.1, demands an answer, and clients of TLS 1.3 wait for one.  After
 * any other failure TLS must not be used any more.
 */
static void notify_end(struct relay_conn *conn)
{
	if (conn->close_by == CLOSE_BY_RESET || !conn->tls ||
		conn->phase != CONN_TAKEN || (conn->ended && !conn->notified))
		return;
	tls_conn_close(conn->tls, conn->fd);
}

/* A connection that has settled was served. */
static void count_refusal(
	const struct relay_conn *conn, enum relay_reason reason)
{
	if (conn->settled)
		return;
	if (reason == RELAY_END_LIMIT)
		listener_count(conn->facts, LISTENER_FULL);
	else if (reason == RELAY_END_DENIED)
		listener_count(conn->facts, LISTENER_DENIED);
}

void conn_end(struct relay_conn *conn, enum relay_reason reason)
{
	struct worker *worker = conn->worker;

	if (conn->phase >= CONN_LINGERING)
		return;
	question_drop(conn);
	peer_count(worker->shard, PEER_CONNECTIONS, phase_label(conn), -1);
	if (conn->tls && tls_conn_is_detached(conn->tls))
		peer_count(worker->shard, PEER_TLS_DETACHED, 0, -1);
	peer_count(worker->shard, PEER_CONNECTIONS_CLOSED, reason, 1);
	count_refusal(conn, reason);
	object_table_remove(&peers_of(worker)->conns, conn->id);
	if (!linger_wanted(conn, reason) || linger_begin(conn) != 0) {
		conn->close_by = (uint8_t)socket_end_by(conn, reason);
		notify_end(conn);
		hooks_conn_close(
			worker->hooks, conn->layout, conn, reason, conn->asked);
		conn_destroy(conn);
		return;
	}
	hooks_conn_close(
		worker->hooks, conn->layout, conn, reason, conn->asked);
	/* If a hook has closed other connections, this one may be destroyed to
	 * make room for them. */
	if (conn->phase == CONN_LINGERING)
		linger(conn);
}

void conn_evict(struct relay_conn *conn)
{
	conn->close_by = CLOSE_BY_RESET; /* frees its kernel memory as well */
	if (conn->phase == CONN_LINGERING) {
		conn_destroy(conn);
		return;
	}
	conn->wrote = false; /* so it does not linger */
	conn_end(conn, RELAY_END_LIMIT);
}
