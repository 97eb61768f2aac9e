/* SPDX-License-Identifier: MPL-2.0 */

/* Sessions: the only way to end one. */

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>

#include "log/log.h"
#include "peers/peer_metrics.h"
#include "peers/conn_end.h"
#include "peers/conn_state.h"
#include "peers/peers_state.h"
#include "peers/pump.h"
#include "peers/session_end.h"
#include "peers/session_memory.h"
#include "peers/session_home.h"
#include "peers/session_state.h"
#include "peers/session_queue.h"
#include "peers/stall.h"

/*
 * A side that was told of the other one's end, and has not ended itself, would
 * not notice a close, since our FIN was sent before.  So it gets a reset.  The
 * kernel sends it only when the side has acknowledged all, and the side has had
 * the idle time to read it.
 */
static void close_by_reset(const struct relay_conn *conn)
{
	const int at_once = -1;

	if (setsockopt(conn->fd, IPPROTO_TCP, TCP_LINGER2, &at_once,
		    sizeof(at_once)))
		log_core(RELAY_DEBUG,
			"setsockopt TCP_LINGER2: %s: a session's peer does not "
			"learn that the session has ended",
			strerror(errno));
}

static void count_protocol(const struct relay_session *session)
{
	struct relay_module *mod = session->protocol;

	atomic_fetch_sub_explicit(&mod->sessions, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&mod->session_traffic,
		(int64_t)(session->flow[0].bytes + session->flow[1].bytes),
		memory_order_relaxed);
}

void session_end(struct relay_session *session, enum relay_reason reason)
{
	struct worker *worker = session->worker;

	if (session->dead)
		return;
	session->dead = true;
	session_news_ended(session);
	object_table_remove(&peers_of(worker)->sessions, session->id);
	deadline_clear(worker, &session->watch);
	hooks_session_close(worker->hooks, session->layout, session, reason,
		session->asked);
	peer_count(worker->shard, PEER_SESSIONS, 0, -1);
	count_protocol(session);
	session_memory_forget(session);
	stall_forget(session);
	peer_count(worker->shard, PEER_SESSIONS_CLOSED, reason, 1);
	peer_observe(worker->shard, PEER_SESSION_DURATION, 0,
		loop_clock_ms() - session->start_ms);
	peer_observe(worker->shard, PEER_SESSION_SIZE, 0,
		(int64_t)(session->flow[0].bytes + session->flow[1].bytes));
	for (int side = 0; side < 2; side++)
		if (pump_drop(session, side))
			session->conn[1 - side]->truncated = true;
	for (int side = 0; side < 2; side++) {
		if (reason == RELAY_END_TIMEOUT && session->flow[1 - side].done)
			close_by_reset(session->conn[side]);
		conn_end(session->conn[side], reason);
		session->conn[side] = NULL;
	}
	if (!session->ready && !session->paused)
		session_free(session);
}

void relay_session_close(
	struct relay_session *session, enum relay_reason reason)
{
	session_end(session, reason);
}

void relay_conn_close(struct relay_conn *conn, enum relay_reason reason)
{
	if (conn->phase == CONN_PAIRED)
		session_end(conn->session, reason);
	else
		conn_end(conn, reason);
}
