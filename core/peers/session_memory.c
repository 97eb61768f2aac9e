/* SPDX-License-Identifier: MPL-2.0 */

/* The kernel memory of sessions, by source. */

#include "log/log.h"
#include "net/kernel_memory.h"
#include "net/memory_by_source.h"
#include "net/socket_memory.h"
#include "net/stalled_sizes.h"
#include "peers/conn_state.h"
#include "peers/peer_metrics.h"
#include "peers/peers_shared.h"
#include "peers/session_memory.h"
#include "peers/session_state.h"

static void count(struct relay_session *session, int from, size_t bytes)
{
	int64_t change = (int64_t)bytes - (int64_t)session->held[from];

	if (change == 0)
		return;
	session->held[from] = bytes;
	peer_count(
		session->worker->shard, PEER_SESSION_KERNEL_MEMORY, 0, change);
	kernel_memory_change(change);
	memory_source_change(session->conn[1 - from]->addr, change);
}

void session_memory_weigh(struct relay_session *session)
{
	size_t held[2];

	for (int from = 0; from < 2; from++)
		held[from] = session->flow[from].piped;
	for (int side = 0; side < 2; side++)
		socket_memory_used(
			session->conn[side]->fd, &held[side], &held[1 - side]);
	for (int from = 0; from < 2; from++)
		count(session, from, held[from]);
}

void session_memory_stalls(
	struct relay_session *session, int from, size_t bytes)
{
	stalled_sizes_change(session->stalls[from], bytes);
	session->stalls[from] = bytes;
}

void session_memory_forget(struct relay_session *session)
{
	for (int from = 0; from < 2; from++) {
		session_memory_stalls(session, from, 0);
		count(session, from, 0);
	}
}

bool session_memory_admits(
	const struct relay_conn *a, const struct relay_conn *b)
{
	const char *why;

	if (!kernel_memory_short())
		return true;
	if (kernel_memory_excess() > kernel_memory_limit())
		why = "more than twice session-memory";
	else if (memory_source_above(a->addr) || memory_source_above(b->addr))
		why = "more than session-memory, and those of its source more "
		      "than their share";
	else
		return true;
	peer_count(a->worker->shard, PEER_SESSIONS_REFUSED, 0, 1);
	log_core_seldom(RELAY_WARNING, &peers_shared()->no_memory,
		"a session is refused: all sessions together hold %s "
		"(session-memory is %lld bytes)",
		why, (long long)kernel_memory_limit());
	return false;
}
