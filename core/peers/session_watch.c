/* SPDX-License-Identifier: MPL-2.0 */

/* Sessions: checks each one periodically. */

#include <errno.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <linux/sockios.h>

#include "net/kernel_memory.h"
#include "peers/conn_state.h"
#include "peers/pump.h"
#include "peers/session_end.h"
#include "peers/session_memory.h"
#include "peers/session_state.h"
#include "peers/session_queue.h"
#include "peers/session_watch.h"
#include "peers/socket_end.h"
#include "peers/stall.h"

/*
 * A reset that arrives together with the last bytes may go unnoticed, since the
 * pump saves the read that would find it.  A check of quiet sessions finds it.
 */
#define QUIET_LOOK_MS 5000
/* The interval while it holds much memory, or all sessions together do. */
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

	session->watch_ms = idle < look ? idle : look;
	session_watch_again(session);
}

void session_watch_again(struct relay_session *session)
{
	deadline_set(session->worker, &session->watch, session->watch_ms);
}

/* Looks for an end that no event has reported, and lets the pump read it. */
static void look_for_end(struct relay_session *session, int side)
{
	char byte;
	ssize_t got;

	if (session->flow[side].at_eof)
		return;
	got = recv(session->conn[side]->fd, &byte, 1, MSG_PEEK);
	if (got >= 0 || (errno != EAGAIN && errno != EINTR)) {
		/* This recv() has cleared the error of the socket. */
		session->flow[side].reset |= got < 0;
		session->flow[side].hung_up |= got <= 0;
		session->flow[side].readable = true;
		session_queue_add(session);
	}
}

/* Whether the kernel has delivered bytes since the last check: a session with a
 * slow reader is not idle. */
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
 * Whether a side has broken off while bytes from it still wait for the other
 * side.  The pump cannot find that end until the other side takes them.
 */
static bool broken_and_stuck(const struct relay_session *session)
{
	for (int side = 0; side < 2; side++)
		if ((session->flow[side].piped || session->flow[side].tail) &&
			socket_broken(session->conn[side]->fd))
			return true;
	return false;
}

/* Whether nothing has moved for too long.  After a stall of this thread or of
 * the machine, bytes that came in time may lie unread, see conn_event.c. */
static bool idle_for_too_long(struct relay_session *session)
{
	bool heard = false;

	if (loop_clock_ms() - session->moved_ms < session->idle_ms)
		return false;
	for (int side = 0; side < 2; side++) {
		if (session->flow[side].readable ||
			socket_unread(session->conn[side]->fd) <= 0)
			continue;
		look_for_end(session, side);
		heard = true;
	}
	return !heard;
}

void session_watch_due(struct deadline *deadline)
{
	struct relay_session *session =
		(struct relay_session *)(void *)((char *)deadline -
						 offsetof(struct relay_session,
							 watch));
	enum relay_reason why;

	if (drains(session)) {
		session->moved_ms = loop_clock_ms();
	} else if (broken_and_stuck(session)) {
		session_end(session, RELAY_END_RESET);
		return;
	}
	if (idle_for_too_long(session)) {
		session_end(session, RELAY_END_TIMEOUT);
		return;
	}
	session_memory_weigh(session);
	for (int from = 0; from < 2; from++)
		if (!stall_look(session, from, &why)) {
			session_end(session, why);
			return;
		}
	/* On busy CPUs it takes a while to measure the shortest round trip: try
	 * again. */
	pump_fit(session, 0);
	pump_fit(session, 1);
	if (session->looked_ms != session->moved_ms) {
		session->looked_ms = session->moved_ms;
		look_for_end(session, 0);
		look_for_end(session, 1);
	}
	session_watch(session);
}

int64_t relay_session_idle_for(const struct relay_session *session)
{
	return loop_clock_ms() - session->moved_ms;
}

void relay_session_idle(struct relay_session *session, int64_t idle_ms)
{
	session->idle_ms = idle_ms;
	session->moved_ms = loop_clock_ms();
	session_watch(session);
}
