/* SPDX-License-Identifier: MPL-2.0 */

/* Sessions: their begin, their events, and the one way to end. */

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <linux/sockios.h>

#include "peers/conn.h"
#include "peers/peer_metrics.h"
#include "net/kernel_memory.h"
#include "log/log.h"
#include "peers/pump.h"
#include "peers/session.h"
#include "peers/socket_end.h"
#include "net/socket_memory.h"
#include "peers/stall.h"
#include "peers/turn.h"

/*
 * A reset that came together with the last bytes can hide behind them (the pump
 * saves the read that would tell); a look at quiet sessions finds it.
 */
#define QUIET_LOOK_MS 5000
/* So often while it holds much, or all together do. */
#define SOON_LOOK_MS 1000

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
		&worker_of(module_ctx_of(cx)->loop)->sessions, id);
}

uint64_t relay_session_passed(const struct relay_session *session, int side)
{
	return session->flow[side].bytes;
}

struct relay_conn *relay_session_side(
	const struct relay_session *session, int side)
{
	return session->conn[side != 0];
}

static void watch(struct relay_session *session)
{
	bool soon = stall_is_watched(&session->stall[0]) ||
		    stall_is_watched(&session->stall[1]) ||
		    kernel_memory_short();
	int64_t most = soon ? SOON_LOOK_MS : QUIET_LOOK_MS;
	int64_t each = session->idle_ms / 4;
	int64_t look = loop_clock_ms() + (each < most ? each : most);
	int64_t idle = session->moved_ms + session->idle_ms;

	worker_deadline(
		session->worker, &session->watch, idle < look ? idle : look);
}

/* A hidden end becomes visible: the next read of that side finds it. */
static void look_for_end(struct relay_session *session, int side)
{
	char byte;
	ssize_t got;

	if (session->flow[side].at_eof)
		return;
	got = recv(session->conn[side]->fd, &byte, 1, MSG_PEEK);
	if (got >= 0 || (errno != EAGAIN && errno != EINTR)) {
		/* The look takes the error from the socket. */
		session->flow[side].reset |= got < 0;
		session->flow[side].hung_up |= got <= 0;
		session->flow[side].readable = true;
		turn_add_session(session);
	}
}

/* Bytes that the kernel still delivers to a slow reader move as well. */
static bool drains(struct relay_session *session)
{
	bool moved = false;

	for (int side = 0; side < 2; side++) {
		int left = 0;

		if (ioctl(session->conn[side]->fd, SIOCOUTQ, &left) == 0 &&
			left != session->unacked[side]) {
			moved |= left < session->unacked[side];
			session->unacked[side] = left;
		}
	}
	return moved;
}

/*
 * A side has broken off, and what came from it before finds no way out: the
 * pump will not see that end as long as the other side takes nothing.
 */
static bool broken_and_stuck(const struct relay_session *session)
{
	for (int side = 0; side < 2; side++)
		if ((session->flow[side].piped || session->flow[side].tail) &&
			socket_broken(session->conn[side]->fd))
			return true;
	return false;
}

/* What the kernel holds for each direction, and in all. */
static void weigh(struct relay_session *session, size_t held[2])
{
	int64_t bytes, change;

	for (int from = 0; from < 2; from++)
		held[from] = session->flow[from].piped;
	for (int side = 0; side < 2; side++)
		socket_memory_used(
			session->conn[side]->fd, &held[side], &held[1 - side]);
	bytes = (int64_t)(held[0] + held[1]);
	change = bytes - session->kernel_bytes;
	peer_count(
		session->worker->shard, PEER_SESSION_KERNEL_MEMORY, 0, change);
	kernel_memory_change(change);
	session->kernel_bytes = bytes;
}

static void watch_due(struct deadline *deadline)
{
	struct relay_session *session =
		(struct relay_session *)(void *)((char *)deadline -
						 offsetof(struct relay_session,
							 watch));
	enum relay_reason why;
	size_t held[2];

	if (drains(session)) {
		session->moved_ms = loop_clock_ms();
	} else if (broken_and_stuck(session)) {
		session_end(session, RELAY_END_RESET);
		return;
	}
	if (loop_clock_ms() - session->moved_ms >= session->idle_ms) {
		session_end(session, RELAY_END_TIMEOUT);
		return;
	}
	weigh(session, held);
	for (int from = 0; from < 2; from++)
		if (!stall_look(session, from, held[from], &why)) {
			session_end(session, why);
			return;
		}
	/* The shortest round trip shows only with time, where CPUs are busy. */
	pump_fit(session, 0);
	pump_fit(session, 1);
	if (session->looked_ms != session->moved_ms) {
		session->looked_ms = session->moved_ms;
		look_for_end(session, 0);
		look_for_end(session, 1);
	}
	watch(session);
}

void relay_session_idle(struct relay_session *session, int64_t idle_ms)
{
	session->idle_ms = idle_ms;
	session->moved_ms = loop_clock_ms();
	watch(session);
}

void session_run(struct relay_session *session)
{
	bool hungry = false, paused = false;

	for (int from = 0; from < 2; from++) {
		switch (pump_run(session, from)) {
		case PUMP_IDLE:
			break;
		case PUMP_HUNGRY:
			hungry = true;
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
	if (hungry)
		turn_add_session(session);
	if (paused)
		turn_pause_session(session);
}

void session_event(struct relay_session *session, int side, short what)
{
	/* After its end only a reset comes without EPOLLRDHUP. */
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
	 * One with bytes left, or with as many as the last time, has its turn
	 * when the others have had theirs: a small message waits for none.
	 */
	if (session->flow[0].heavy || session->flow[1].heavy)
		turn_add_session(session);
	else if (!session->hungry)
		session_run(session);
}

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
	session->idle_ms = idle_ms;
	session->start_ms = session->moved_ms = loop_clock_ms();
	session->watch.due = watch_due;
	session->id = object_table_add(&worker->sessions, session);
	if (session->id)
		return session;
	free(session);
	return NULL;
}

static void attach(
	struct relay_session *session, int side, struct relay_conn *conn)
{
	struct flow *to_it = &session->flow[1 - side];

	relay_conn_settled(conn);
	session->conn[side] = conn;
	worker_deadline_clear(conn->worker, &conn->deadline);
	conn->phase = CONN_PAIRED;
	conn->session = session;
	conn->side = (uint8_t)side;
	conn_take_queue(conn, &to_it->tail, &to_it->tail_len);
	if ((conn->worker->socket_buffer ? socket_memory_bound(conn->fd,
						   conn->worker->socket_buffer)
					 : socket_memory_first(conn->fd)) != 0)
		log_core(RELAY_DEBUG,
			"a session's buffers stay as they are: %s",
			strerror(errno));
	/* Edges that came before are over: find out by trying. */
	session->flow[side].readable = true;
	session->flow[side].hung_up = conn->hung_up;
	to_it->writable = true;
}

static bool can_pair(const struct relay_conn *conn)
{
	return conn->phase == CONN_TAKEN && !conn->ssl && !conn->ended &&
	       !conn->unread;
}

/* One that began now would only push another one out. */
static void refuse_for_memory(struct worker *worker)
{
	static struct relay_log_kind kind;

	peer_count(worker->shard, PEER_SESSIONS_REFUSED, 0, 1);
	log_core_seldom(RELAY_WARNING, &kind,
		"a session is refused: all together hold more than "
		"session-memory in the kernel (%lld bytes)",
		(long long)kernel_memory_limit());
}

struct relay_session *relay_session_pair(struct relay_ctx *cx,
	struct relay_conn *a, struct relay_conn *b, int64_t idle_ms)
{
	struct worker *worker = worker_of(module_ctx_of(cx)->loop);
	struct relay_denial why = {RELAY_REFUSE_POLICY, "refused"};
	struct relay_session *session = NULL;
	enum relay_reason reason = RELAY_END_PEER_LOST;

	if (a != b && can_pair(a) && can_pair(b)) {
		if (!kernel_memory_short()) {
			session = session_make(worker, idle_ms);
			reason = RELAY_END_ERROR;
		} else {
			refuse_for_memory(worker);
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
	if (hooks_session_open(worker->hooks, session, &why, &session->asked) !=
		RELAY_PASS) {
		session_end(session, RELAY_END_DENIED);
		return NULL;
	}
	watch(session);
	turn_add_session(session);
	return session;
}

/*
 * A side that got the other one's end, and has not ended itself, would hear
 * nothing of a close: the end has been sent.  A reset tells it.  It comes only
 * once the side has acknowledged all, and took its time over reading it.
 */
static void close_by_reset(const struct relay_conn *conn)
{
	const int at_once = -1;

	if (setsockopt(conn->fd, IPPROTO_TCP, TCP_LINGER2, &at_once,
		    sizeof(at_once)))
		log_core(RELAY_DEBUG, "no reset at the end: %s",
			strerror(errno));
}

void session_end(struct relay_session *session, enum relay_reason reason)
{
	struct worker *worker = session->worker;

	if (session->dead)
		return;
	session->dead = true;
	object_table_remove(&worker->sessions, session->id);
	worker_deadline_clear(worker, &session->watch);
	hooks_session_close(worker->hooks, session->layout, session, reason,
		session->asked);
	peer_count(worker->shard, PEER_SESSIONS, 0, -1);
	peer_count(worker->shard, PEER_SESSION_KERNEL_MEMORY, 0,
		-session->kernel_bytes);
	kernel_memory_change(-session->kernel_bytes);
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
	if (!session->hungry && !session->paused)
		session_free(session);
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
	if (!session->hungry)
		session_run(session);
}

void session_free(struct relay_session *session)
{
	free(session);
}

void relay_session_close(
	struct relay_session *session, enum relay_reason reason)
{
	session_end(session, reason);
}
