/* SPDX-License-Identifier: MPL-2.0 */

/* Sessions: what modules may read, and the events on its connections. */

#include <sys/ioctl.h>

#include "peers/conn_state.h"
#include "peers/peers_state.h"
#include "peers/pump.h"
#include "peers/session.h"
#include "peers/session_end.h"
#include "peers/session_state.h"
#include "peers/session_queue.h"

void *relay_session_data(
	const struct relay_ctx *cx, const struct relay_session *session)
{
	const struct relay_module *mod = cx->mod;

	if (!layout_has(session->layout, mod))
		return NULL;
	return (void *)(uintptr_t)(session->blocks +
				   session->layout->at[mod->slot].session);
}

uint64_t relay_session_id(const struct relay_session *session)
{
	return session->id;
}

struct relay_session *relay_session_find(struct relay_ctx *cx, uint64_t id)
{
	return object_table_find(
		&peers_of_loop(module_ctx_of(cx)->loop)->sessions, id);
}

uint64_t relay_session_passed(const struct relay_session *session, int side)
{
	return session->flow[side].bytes;
}

const char *relay_session_protocol(const struct relay_session *session)
{
	return session->protocol->def.name;
}

struct relay_conn *relay_session_side(
	const struct relay_session *session, int side)
{
	return session->conn[side != 0];
}

static void session_run(struct relay_session *session)
{
	bool ready = false, paused = false;

	for (int from = 0; from < 2; from++) {
		switch (pump_run(session, from)) {
		case PUMP_IDLE:
			break;
		case PUMP_MORE:
			ready = true;
			break;
		case PUMP_PAUSED:
			paused = true;
			break;
		case PUMP_BROKEN:
			session_end(session, RELAY_END_RESET);
			return;
		case PUMP_FAILED:
			session_end(session, RELAY_END_ERROR);
			return;
		}
	}
	if (session->flow[0].done && session->flow[1].done) {
		session_end(session,
			session->ending ? RELAY_END_STOP : RELAY_END_EOF);
		return;
	}
	if (ready)
		session_queue_add(session);
	if (paused)
		session_queue_pause(session);
}

bool sessions_run(struct worker *worker)
{
	struct peers *peers = peers_of(worker);
	struct relay_session *list = peers->ready;

	peers->ready = NULL;
	peers->ready_end = &peers->ready;
	while (list) {
		struct relay_session *session = list;

		list = session->ready_next;
		if (!session->dead && session->move_to >= 0) {
			session->ready_next = peers->departing;
			peers->departing = session;
			continue; /* it counts as ready: nothing runs it */
		}
		session->ready = false;
		if (!session->dead)
			session_run(session);
		else if (!session->paused)
			session_free(session);
	}
	/* Sessions added meanwhile have armed the next iteration. */
	return false;
}

void session_event(struct relay_session *session, int side, short what)
{
	/* After the side's end, only a reset comes without EPOLLRDHUP. */
	if (session->flow[side].at_eof && !session->ending &&
		(what & EV_READ) && !(what & EV_CLOSED)) {
		session_end(session, RELAY_END_RESET);
		return;
	}
	if (what & (EV_READ | EV_CLOSED))
		session->flow[side].readable = !session->flow[side].at_eof;
	if (what & EV_CLOSED)
		session->flow[side].hung_up = true;
	if (what & EV_WRITE)
		session->flow[1 - side].writable = true;
	/*
	 * A session whose last run was long, or which has bytes left, runs in
	 * the next iteration, after others: so small messages do not wait.
	 */
	if (session->flow[0].heavy || session->flow[1].heavy)
		session_queue_add(session);
	else if (!session->ready)
		session_run(session);
}

void session_wind_up(struct relay_session *session)
{
	session->ending = true;
	for (int side = 0; side < 2; side++) {
		struct flow *flow = &session->flow[side];
		int unread = 0;

		if (flow->at_eof)
			continue;
		if (ioctl(session->conn[side]->fd, FIONREAD, &unread) != 0)
			unread = 0;
		flow->left = unread > 0 ? (size_t)unread : 0;
		flow->readable = flow->left > 0;
	}
	if (!session->ready)
		session_run(session);
}
