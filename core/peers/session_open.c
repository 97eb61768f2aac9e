/* SPDX-License-Identifier: MPL-2.0 */

/* Sessions: pairs two connections. */

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "log/log.h"
#include "peers/peer_metrics.h"
#include "net/socket_memory.h"
#include "peers/conn_end.h"
#include "peers/conn_io.h"
#include "peers/conn_state.h"
#include "peers/peers_state.h"
#include "peers/question_end.h"
#include "peers/session_end.h"
#include "peers/session_memory.h"
#include "peers/session_state.h"
#include "peers/session_queue.h"
#include "peers/session_watch.h"

static struct relay_session *session_make(
	struct worker *worker, int64_t idle_ms)
{
	const struct layout *layout = worker->hooks->layout;
	struct relay_session *session =
		calloc(1, sizeof(*session) + layout->session_bytes);

	if (!session)
		return NULL;
	session->worker = worker;
	session->layout = layout;
	layout_enter(layout);
	session->idle_ms = idle_ms;
	session->start_ms = session->moved_ms = loop_clock_ms();
	session->watch.due = session_watch_due;
	session->move_to = -1;
	session->id = object_table_add(&peers_of(worker)->sessions, session);
	if (session->id)
		return session;
	session_free(session);
	return NULL;
}

static void attach(
	struct relay_session *session, int side, struct relay_conn *conn)
{
	struct peers *peers = peers_of(conn->worker);
	struct flow *to_it = &session->flow[1 - side];

	question_drop(conn);
	relay_conn_settled(conn);
	session->conn[side] = conn;
	deadline_clear(conn->worker, &conn->deadline);
	conn->phase = CONN_PAIRED;
	conn->session = session;
	conn->side = (uint8_t)side;
	conn_take_queue(conn, &to_it->tail, &to_it->tail_len);
	if ((peers->socket_buffer ? socket_memory_bound(
					    conn->fd, peers->socket_buffer)
				  : socket_memory_first(conn->fd)) != 0)
		log_core(RELAY_DEBUG, "cannot bound a session's buffers: %s",
			strerror(errno));
	/* Edge-triggered events may have come before: find out by trying. */
	session->flow[side].readable = true;
	session->flow[side].hung_up = conn->hung_up;
	to_it->writable = true;
}

static bool can_pair(const struct relay_conn *conn)
{
	return conn->phase == CONN_TAKEN && !conn->tls && !conn->ended &&
	       !conn->unread;
}

struct relay_session *relay_session_pair(struct relay_ctx *cx,
	struct relay_conn *a, struct relay_conn *b, int64_t idle_ms)
{
	struct worker *worker = worker_of(module_ctx_of(cx)->loop);
	struct relay_denial why = {RELAY_REFUSE_POLICY, "refused"};
	struct relay_session *session = NULL;
	enum relay_reason reason = RELAY_END_PEER_LOST;

	if (a != b && can_pair(a) && can_pair(b)) {
		if (session_memory_admits(a, b)) {
			session = session_make(worker, idle_ms);
			reason = RELAY_END_ERROR;
		} else {
			reason = RELAY_END_PRESSURE;
		}
	}
	if (!session) {
		conn_end(a,
			a->ended ? (enum relay_reason)a->end_reason : reason);
		conn_end(b,
			b->ended ? (enum relay_reason)b->end_reason : reason);
		return NULL;
	}
	attach(session, 0, a);
	attach(session, 1, b);
	peer_count(worker->shard, PEER_SESSIONS, 0, 1);
	session->protocol = cx->mod;
	atomic_fetch_add_explicit(
		&session->protocol->sessions, 1, memory_order_relaxed);
	if (hooks_session_open(worker->hooks, session, &why, &session->asked) !=
		RELAY_PASS) {
		session_end(session, RELAY_END_DENIED);
		return NULL;
	}
	session_watch(session);
	session_queue_add(session);
	return session;
}
