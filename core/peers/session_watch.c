/* SPDX-License-Identifier: MPL-2.0 */

/* Sessions: looks at one from time to time. */

#include <errno.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <linux/sockios.h>

#include "peers/peer_metrics.h"
#include "net/kernel_memory.h"
#include "net/socket_memory.h"
#include "peers/conn_state.h"
#include "peers/pump.h"
#include "peers/session_end.h"
#include "peers/session_state.h"
#include "peers/session_turns.h"
#include "peers/session_watch.h"
#include "peers/socket_end.h"
#include "peers/stall.h"

/*
 * A reset that came together with the last bytes can hide behind them (the pump
 * saves the read that would tell); a look at quiet sessions finds it.
 */
#define QUIET_LOOK_MS 5000
/* So often while it holds much, or all together do. */
#define SOON_LOOK_MS 1000

void session_watch(struct relay_session *session)
{
	bool soon = stall_is_watched(&session->stall[0]) ||
		    stall_is_watched(&session->stall[1]) ||
		    kernel_memory_short();
	int64_t most = soon ? SOON_LOOK_MS : QUIET_LOOK_MS;
	int64_t each = session->idle_ms / 4;
	int64_t look = loop_clock_ms() + (each < most ? each : most);
	int64_t idle = session->moved_ms + session->idle_ms;

	deadline_set(
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
		session_turns_add(session);
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

void session_watch_due(struct deadline *deadline)
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
	session_watch(session);
}

void relay_session_idle(struct relay_session *session, int64_t idle_ms)
{
	session->idle_ms = idle_ms;
	session->moved_ms = loop_clock_ms();
	session_watch(session);
}
