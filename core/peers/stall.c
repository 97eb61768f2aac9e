/* SPDX-License-Identifier: MPL-2.0 */

/* Sessions whose reader is too slow for what the kernel holds for it. */

#include "peers/peer_metrics.h"
#include "net/kernel_memory.h"
#include "net/memory_by_source.h"
#include "net/socket_memory.h"
#include "net/stalled_sizes.h"
#include "peers/conn_state.h"
#include "peers/peers_state.h"
#include "peers/session_memory.h"
#include "peers/session_state.h"
#include "peers/socket_end.h"
#include "peers/stall.h"

/* A socket is the source of one direction and the sink of the other one: the
 * bounds for the other direction must stay. */
static bool bounds_source(const struct relay_session *session, int from)
{
	return session->stall[from].buffers || !session->flow[from].autotuned;
}

bool stall_bounds_sink(const struct relay_session *session, int from)
{
	return session->stall[from].buffers || session->flow[from].fitted;
}

static void relax(struct relay_session *session, int from)
{
	struct flow *flow = &session->flow[from];
	int source = session->conn[from]->fd;

	(void)socket_memory_relax(
		session->conn[1 - from]->fd, bounds_source(session, 1 - from));
	flow->fitted = false;
	(void)socket_memory_open(source, stall_bounds_sink(session, 1 - from));
	if (!flow->autotuned)
		(void)socket_memory_first(source);
}

static void resize(struct relay_session *session, int from, size_t before)
{
	size_t buffers = session->stall[from].buffers;

	if (buffers == before || peers_of(session->worker)->socket_buffer)
		return;
	if (buffers == 0)
		relax(session, from);
	else
		(void)socket_memory_squeeze(session->conn[from]->fd,
			session->conn[1 - from]->fd, (int)buffers);
}

static void find(const struct relay_session *session, int from,
	struct stall_facts *facts)
{
	const struct flow *flow = &session->flow[from];
	int sink = session->conn[1 - from]->fd;
	int64_t one = 0, other = 0;

	facts->waits = flow->piped + (flow->tail ? flow->tail_len : 0) +
		       (size_t)socket_owes(sink);
	/* Most sessions are idle: they need no further system call. */
	if (!facts->waits && facts->held < STALL_LEAST)
		return;
	facts->acked = socket_acked(sink, &one);
	if (facts->held > STALL_ALLOWED)
		(void)socket_acked(session->conn[from]->fd, &other);
	facts->rtt_us = one + other;
}

static void count(struct relay_session *session, enum peer_metric which,
	bool before, bool after)
{
	if (before != after)
		peer_count(session->worker->shard, which, 0, after ? 1 : -1);
}

/* Fills the facts that stall_judge() uses only while memory is short. */
static void find_shortage(
	const struct relay_conn *sink, struct stall_facts *facts)
{
	facts->short_ms = kernel_memory_short_ms(facts->now_ms);
	if (facts->short_ms < 0)
		return;
	facts->above_share = memory_source_above(sink->addr);
	facts->stalled_most = stalled_sizes_from(kernel_memory_excess());
}

bool stall_look(struct relay_session *session, int from, enum relay_reason *why)
{
	struct stall *stall = &session->stall[from], before = *stall;
	struct stall_facts facts = {
		.now_ms = loop_clock_ms(),
		.idle_ms = session->idle_ms,
		.held = session->held[from],
	};
	enum stall_verdict verdict;

	find_shortage(session->conn[1 - from], &facts);
	find(session, from, &facts);
	verdict = stall_judge(stall, &facts);
	session_memory_stalls(
		session, from, stall_is_long(stall) ? facts.held : 0);
	count(session, PEER_SESSIONS_STALLED, before.since_ms, stall->since_ms);
	count(session, PEER_SESSIONS_SQUEEZED, before.buffers, stall->buffers);
	*why = verdict == STALL_END_PRESSURE ? RELAY_END_PRESSURE
					     : RELAY_END_STALLED;
	if (verdict != STALL_GO_ON)
		return false;
	resize(session, from, before.buffers);
	return true;
}

bool stall_conn_gives_way(const struct relay_conn *reader, size_t held)
{
	struct stall_facts facts = {.now_ms = loop_clock_ms(), .held = held};

	find_shortage(reader, &facts);
	return stall_gives_way(&facts);
}

void stall_forget(struct relay_session *session)
{
	for (int from = 0; from < 2; from++) {
		count(session, PEER_SESSIONS_STALLED,
			session->stall[from].since_ms, false);
		count(session, PEER_SESSIONS_SQUEEZED,
			session->stall[from].buffers, false);
	}
}
