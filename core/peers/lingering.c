/* SPDX-License-Identifier: MPL-2.0 */

/* The accounts of lingering connections. */

#include <stdlib.h>

#include "net/kernel_memory.h"
#include "net/memory_sources.h"
#include "net/socket_memory.h"
#include "net/stalled_sizes.h"
#include "peers/conn_state.h"
#include "peers/lingering.h"
#include "peers/peer_metrics.h"
#include "peers/peers_state.h"
#include "peers/socket_end.h"
#include "peers/stall.h"

static void count(struct lingering *account, size_t bytes)
{
	struct relay_conn *conn = account->conn;
	int64_t change = (int64_t)bytes - (int64_t)account->held;

	if (change == 0)
		return;
	peer_count(conn->worker->shard, PEER_SESSION_KERNEL_MEMORY, 0, change);
	kernel_memory_change(change);
	memory_source_change(conn->addr, change);
	stalled_sizes_change(account->held, bytes);
	account->held = bytes;
}

static void weigh(struct lingering *account)
{
	size_t received = 0, unsent = 0;

	socket_memory_used(account->conn->fd, &received, &unsent);
	count(account, received + unsent);
}

/* Whether its source, on any level, has its part of the places. */
static bool source_is_full(
	const struct peers *peers, const struct relay_conn *conn)
{
	unsigned most = LINGER_MOST / LINGER_SOURCE_PART, has[3] = {0};

	for (struct lingering *other = peers->accounts; other;
		other = other->next) {
		unsigned shared = memory_source_levels_shared(
			conn->addr, other->conn->addr);

		for (unsigned i = 0; other->session && i < 3; i++)
			has[i] += (shared >> i) & 1;
	}
	return has[0] >= most || has[1] >= 2 * most || has[2] >= 4 * most;
}

struct relay_conn *lingering_largest(const struct peers *peers)
{
	struct lingering *found = peers->accounts;
	int64_t most = -1;

	for (struct lingering *other = found; other; other = other->next) {
		int64_t held = memory_source_held(other->conn->addr);

		if (held < most || (held == most && other->held < found->held))
			continue;
		most = held;
		found = other;
	}
	return found ? found->conn : NULL;
}

int lingering_add(struct relay_conn *conn, bool session)
{
	struct peers *peers = peers_of(conn->worker);
	struct lingering *account;

	if (session && !peers->stopping && source_is_full(peers, conn))
		return -1;
	account = calloc(1, sizeof(*account));
	if (!account)
		return -1;
	account->conn = conn;
	account->session = session;
	account->since_ms = loop_clock_ms();
	account->first = account->owed = socket_owes(conn->fd);
	account->next = peers->accounts;
	account->link = &peers->accounts;
	if (account->next)
		account->next->link = &account->next;
	peers->accounts = account;
	conn->account = account;
	peers->lingering++;
	peer_count(conn->worker->shard, PEER_LINGERING, 0, 1);
	weigh(account);
	return 0;
}

bool lingering_weigh(struct relay_conn *conn)
{
	weigh(conn->account);
	return !stall_conn_gives_way(conn, conn->account->held);
}

void lingering_remove(struct relay_conn *conn)
{
	struct peers *peers = peers_of(conn->worker);
	struct lingering *account = conn->account;

	if (!account)
		return;
	count(account, 0);
	*account->link = account->next;
	if (account->next)
		account->next->link = account->link;
	conn->account = NULL;
	free(account);
	peers->lingering--;
	peer_count(conn->worker->shard, PEER_LINGERING, 0, -1);
}
