/* SPDX-License-Identifier: MPL-2.0 */

/* Makes room for newcomers by evicting strangers; settles connections. */

#include <stdatomic.h>

#include <strelaysrv/conn.h>
#include <strelaysrv/server.h>

#include "peers/peer_metrics.h"
#include "net/capacity.h"
#include "peers/stranger_eviction.h"
#include "peers/conn_end.h"
#include "peers/conn_state.h"
#include "peers/listener_facts.h"
#include "peers/peers_state.h"
#include "peers/strangers.h"
#include "workers/workers.h"

/* Another worker may take the descriptor that an eviction has freed: try again.
 */
#define TRIES 4

static bool evict(struct worker *worker, const struct relay_conn *newcomer,
	enum peer_room_label why)
{
	struct relay_conn *least =
		strangers_least(&peers_of(worker)->strangers, newcomer);

	if (!least)
		return false;
	peer_count(worker->shard, PEER_ROOM_MADE, why, 1);
	conn_evict(least);
	return true;
}

bool stranger_evict(struct worker *worker)
{
	return evict(worker, NULL, PEER_ROOM_DESCRIPTORS);
}

static void evict_here(struct loop *loop, void *arg)
{
	(void)arg;
	/* If connections have ended meanwhile, no eviction is needed. */
	if (capacity_overdrawn())
		(void)stranger_evict(worker_of(loop));
}

static unsigned most_of(struct worker *worker)
{
	return atomic_load_explicit(
		&peers_of(worker)->strangers.most, memory_order_relaxed);
}

static struct worker *fullest(struct worker *worker)
{
	struct worker *most = worker;

	for (unsigned i = 0; i < workers_count(); i++)
		if (most_of(workers_get(i)) > most_of(most))
			most = workers_get(i);
	return most;
}

/* Borrows a descriptor until the other worker has evicted a stranger. */
static bool enter_on_loan(struct worker *other)
{
	if (!capacity_borrow())
		return false;
	if (loop_post(&other->loop, evict_here, NULL, 0) == 0)
		return true;
	capacity_leave();
	return false;
}

bool capacity_enter_or_evict(struct worker *worker)
{
	struct worker *other;

	for (int i = 0; i < TRIES; i++) {
		if (capacity_enter())
			return true;
		other = fullest(worker);
		/* If this worker has at most one stranger of each source, the
		 * worker that has the most of one source evicts one. */
		if (other != worker && most_of(worker) < 2)
			return enter_on_loan(other) ||
			       (stranger_evict(worker) && capacity_enter());
		if (!stranger_evict(worker))
			return false;
	}
	return false;
}

bool relay_conn_make_room(struct relay_ctx *cx, const struct relay_conn *conn)
{
	return evict(
		worker_of(module_ctx_of(cx)->loop), conn, PEER_ROOM_MODULE);
}

unsigned relay_conn_strangers(struct relay_ctx *cx)
{
	return peers_of_loop(module_ctx_of(cx)->loop)->strangers.count;
}

void relay_conn_settled(struct relay_conn *conn)
{
	struct worker *worker = conn->worker;

	if (conn->settled || conn->phase != CONN_TAKEN)
		return;
	conn->settled = true;
	capacity_settle();
	listener_settled(conn->facts, 1);
	strangers_settle(&peers_of(worker)->strangers, conn, loop_clock_ms());
	hooks_conn_settled(worker->hooks, conn);
}
