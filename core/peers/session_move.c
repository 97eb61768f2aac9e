/* SPDX-License-Identifier: MPL-2.0 */

/* Moves a session to another worker. */

#include <stdatomic.h>

#include <strelaysrv/session.h>

#include "peers/conn_event.h"
#include "peers/conn_state.h"
#include "peers/peer_metrics.h"
#include "peers/peers_shared.h"
#include "peers/peers_state.h"
#include "peers/session.h"
#include "peers/session_end.h"
#include "peers/session_home.h"
#include "peers/session_move.h"
#include "peers/session_queue.h"
#include "peers/session_state.h"
#include "peers/session_watch.h"
#include "workers/workers.h"

static bool can_move(const struct relay_session *session, int to)
{
	const struct worker *worker = session->worker;

	return to != worker->loop.index && !session->ending &&
	       !peers_of(session->worker)->stopping &&
	       !worker->hooks->layout->still && !session->conn[0]->reread &&
	       !session->conn[1]->reread &&
	       !atomic_load(&peers_shared()->moves_held);
}

/* Takes it off all that its worker keeps. */
static void leave(struct relay_session *session, uint32_t to)
{
	struct worker *worker = session->worker;
	struct peers *peers = peers_of(worker);

	session->moves++;
	session_queue_leave(session);
	deadline_clear(worker, &session->watch);
	object_table_leave(&peers->sessions, session->id, to, session->moves);
	for (int side = 0; side < 2; side++) {
		struct relay_conn *conn = session->conn[side];

		event_del(&conn->event);
		object_table_leave(&peers->conns, conn->id, to, session->moves);
		if (session->flow[side].pipe)
			pipe_pool_leave(
				&peers->pipes, session->flow[side].pipe);
	}
}

/* 0, or -1 without memory. */
static int enter_conn(struct worker *worker, struct relay_conn *conn)
{
	struct peers *peers = peers_of(worker);

	conn->worker = worker;
	conn->owner = NULL; /* it serves connections without a session */
	if (object_table_enter(&peers->conns, conn->id, conn) != 0)
		return -1;
	return conn_watch(conn);
}

static int enter(struct worker *worker, struct relay_session *session)
{
	struct peers *peers = peers_of(worker);
	int result = object_table_enter(&peers->sessions, session->id, session);

	session->worker = worker;
	for (int side = 0; side < 2; side++) {
		struct flow *flow = &session->flow[side];

		if (enter_conn(worker, session->conn[side]) != 0)
			result = -1;
		/* Events may have been dropped: find out by trying. */
		flow->readable = !flow->at_eof;
		flow->writable = true;
		if (flow->pipe)
			pipe_pool_enter(&peers->pipes, flow->pipe);
	}
	session_watch_again(session);
	return result;
}

static void arrive(struct worker *worker, struct relay_session *session)
{
	struct peers *peers = peers_of(worker);
	int result = enter(worker, session);

	/* While it is on that list, its end does not free it. */
	session_queue_add(session);
	hooks_session_enter(
		worker->hooks, session->layout, session, session->asked);
	if (session->dead)
		return;
	if (result != 0)
		session_end(session, RELAY_END_ERROR);
	else if (peers->stopping && peers->grace_until_ms)
		session_wind_up(session);
	else if (peers->stopping)
		session_end(session, RELAY_END_STOP);
}

static void arrived(struct loop *loop, void *arg)
{
	arrive(worker_of(loop), *(struct relay_session **)arg);
}

static void send_off(struct relay_session *session, unsigned to)
{
	struct worker *worker = session->worker;
	struct session_news news;

	peer_count(worker->shard, PEER_SESSION_MOVES, 0, 1);
	leave(session, to);
	session->ready = false;
	session_news_read(session, to, &news);
	/* With this the session is the other worker's. */
	if (loop_post(&workers_get(to)->loop, arrived, &session,
		    sizeof(session)) != 0)
		arrive(worker, session);
	else
		session_news_moved(&news, worker);
}

void sessions_send_off(struct worker *worker)
{
	struct peers *peers = peers_of(worker);
	struct relay_session *list = peers->departing;

	peers->departing = NULL;
	while (list) {
		struct relay_session *session = list;
		const int to = session->move_to;
		bool goes = !session->dead && can_move(session, to);

		list = session->ready_next;
		session->move_to = -1;
		/* A module may close it, which frees it later. */
		if (goes)
			hooks_session_leave(worker->hooks, session->layout,
				session, session->asked);
		if (goes && !session->dead) {
			send_off(session, (unsigned)to);
			continue;
		}
		session->ready = false;
		if (!session->dead)
			session_queue_add(session);
		else if (!session->paused)
			session_free(session);
	}
}

void relay_session_move(struct relay_session *session, int to)
{
	if (to < 0 || to >= (int)workers_count() || session->dead ||
		to == session->worker->loop.index)
		return;
	session->move_to = (int16_t)to;
	session_queue_add(session);
}

static int do_nothing(struct worker *worker, void *arg)
{
	(void)worker;
	(void)arg;
	return 0;
}

void session_moves_hold(void)
{
	if (workers_count() < 2)
		return;
	atomic_store(&peers_shared()->moves_held, true);
	/* After the first call nobody sends one off; before the second, all
	 * that were sent have arrived. */
	(void)workers_call(do_nothing, NULL);
	(void)workers_call(do_nothing, NULL);
}

void session_moves_release(void)
{
	atomic_store(&peers_shared()->moves_held, false);
}
