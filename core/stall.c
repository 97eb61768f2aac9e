/* SPDX-License-Identifier: MPL-2.0 */

/* Sessions whose reader stalls. */

#include "conn.h"
#include "core_metrics.h"
#include "kernel_memory.h"
#include "session.h"
#include "socket_end.h"
#include "socket_memory.h"
#include "stall.h"

/* Below 1 kB a second, while bytes wait, is next to nothing. */
#define BYTES_PER_MS 1
/* For so long: no more is taken in for it. */
#define SQUEEZE_MS 4000
/* For so long, with more than this held: it ends. */
#define EXCESS_MS    15000
#define EXCESS_BYTES 524288

static void squeeze(struct relay_session *session, int from)
{
	struct stall *stall = &session->stall[from];

	if (stall->squeezed || session->worker->socket_buffer)
		return;
	stall->squeezed = true;
	(void)socket_memory_squeeze(
		session->conn[from]->fd, session->conn[1 - from]->fd);
}

static void moves(struct relay_session *session, int from)
{
	struct stall *stall = &session->stall[from];

	if (stall->since_ms)
		core_count(
			session->worker->shard, CORE_SESSIONS_STALLED, 0, -1);
	stall->since_ms = 0;
	if (!stall->squeezed)
		return;
	stall->squeezed = false;
	/* The sink's own receiving may be squeezed for the other direction. */
	(void)socket_memory_relax(session->conn[from]->fd,
		session->conn[1 - from]->fd, session->stall[1 - from].squeezed);
	session->flow[from].fitted = false;
}

static bool waits(const struct relay_session *session, int from)
{
	const struct flow *flow = &session->flow[from];

	return flow->piped || flow->tail ||
	       socket_owes(session->conn[1 - from]->fd) > 0;
}

bool stall_look(struct relay_session *session, int from, size_t held,
	enum relay_reason *why)
{
	struct stall *stall = &session->stall[from];
	int64_t now = loop_clock_ms(), before = stall->looked_ms, still;
	uint64_t acked = 0;
	bool waiting = waits(session, from);

	if (waiting)
		acked = socket_acked(session->conn[1 - from]->fd);
	stall->looked_ms = now;
	/* The first look at bytes that wait has nothing to compare with. */
	if (!waiting || stall->acked == 0 ||
		acked - stall->acked >=
			(uint64_t)(now - before) * BYTES_PER_MS) {
		stall->acked = acked;
		moves(session, from);
		return true;
	}
	stall->acked = acked;
	if (stall->since_ms == 0) {
		stall->since_ms = before;
		core_count(session->worker->shard, CORE_SESSIONS_STALLED, 0, 1);
	}
	still = now - stall->since_ms;
	if (still >= SQUEEZE_MS)
		squeeze(session, from);
	*why = kernel_memory_short() ? RELAY_END_PRESSURE : RELAY_END_STALLED;
	return *why != RELAY_END_PRESSURE && still < session->idle_ms &&
	       (still < EXCESS_MS || held <= EXCESS_BYTES);
}

void stall_forget(struct relay_session *session)
{
	for (int from = 0; from < 2; from++)
		if (session->stall[from].since_ms)
			core_count(session->worker->shard,
				CORE_SESSIONS_STALLED, 0, -1);
}
