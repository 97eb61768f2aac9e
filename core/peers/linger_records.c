/* SPDX-License-Identifier: MPL-2.0 */

/* Lingering connections: what they hold, and which may linger. */

#include <stdlib.h>

#include "net/kernel_memory.h"
#include "net/memory_by_source.h"
#include "net/socket_memory.h"
#include "net/stalled_sizes.h"
#include "peers/conn_state.h"
#include "peers/linger_records.h"
#include "peers/peer_metrics.h"
#include "peers/peers_state.h"
#include "peers/socket_end.h"
#include "peers/stall.h"

static void count(struct linger_record *one, size_t bytes)
{
	struct relay_conn *conn = one->conn;
	int64_t change = (int64_t)bytes - (int64_t)one->held;

	if (change == 0)
		return;
	peer_count(conn->worker->shard, PEER_SESSION_KERNEL_MEMORY, 0, change);
	kernel_memory_change(change);
	memory_source_change(conn->addr, change);
	stalled_sizes_change(one->held, bytes);
	one->held = bytes;
}

static void weigh(struct linger_record *one)
{
	size_t received = 0, unsent = 0;

	socket_memory_used(one->conn->fd, &received, &unsent);
	count(one, received + unsent);
}

/* The order of eviction, by the first member that differs: larger values first.
 */
struct rank {
	bool no_session; /* no session has left it bytes */
	unsigned places; /* of its source */
	int64_t source;  /* bytes of its source */
	size_t held;
};

static struct rank rank_of(
	const struct peers *peers, const struct linger_record *one)
{
	const uint8_t *addr = one->conn->addr;

	return (struct rank){
		.no_session = !one->session,
		.places =
			linger_places_held(&peers->places, addr, one->session),
		.source = one->session ? memory_source_held(addr) : 0,
		.held = one->held,
	};
}

static bool at_least(const struct rank *a, const struct rank *b)
{
	if (a->no_session != b->no_session)
		return a->no_session;
	if (a->places != b->places)
		return a->places > b->places;
	if (a->source != b->source)
		return a->source > b->source;
	return a->held >= b->held;
}

/* Finds the one to evict; of equal ones the oldest, which is the last on the
 * list. */
static struct relay_conn *find_victim(const struct peers *peers, bool session)
{
	struct relay_conn *found = NULL;
	struct rank most = {0};

	for (struct linger_record *one = peers->lingering_list; one;
		one = one->next) {
		struct rank rank;

		if (one->session && !session)
			continue;
		rank = rank_of(peers, one);
		if (found && !at_least(&rank, &most))
			continue;
		found = one->conn;
		most = rank;
	}
	return found;
}

bool linger_has_place(const struct relay_conn *conn, bool session,
	struct relay_conn **instead)
{
	struct peers *peers = peers_of(conn->worker);

	*instead = NULL;
	if (peers->stopping)
		return true;
	if (linger_places_full(&peers->places, conn->addr, session)) {
		peer_count(conn->worker->shard, PEER_LINGER_REFUSED,
			PEER_LINGER_SOURCE, 1);
		return false;
	}
	if (peers->lingering_count < LINGER_MOST)
		return true;
	*instead = find_victim(peers, session);
	peer_count(conn->worker->shard, PEER_LINGER_REFUSED, PEER_LINGER_PLACES,
		1);
	return *instead;
}

int linger_record_add(struct relay_conn *conn, bool session)
{
	struct peers *peers = peers_of(conn->worker);
	struct linger_record *one;

	one = calloc(1, sizeof(*one));
	if (!one)
		return -1;
	one->conn = conn;
	one->session = session;
	one->since_ms = loop_clock_ms();
	one->first = one->owed = socket_owes(conn->fd);
	one->next = peers->lingering_list;
	one->link = &peers->lingering_list;
	if (one->next)
		one->next->link = &one->next;
	peers->lingering_list = one;
	conn->lingering = one;
	peers->lingering_count++;
	linger_places_change(&peers->places, conn->addr, session, 1);
	peer_count(conn->worker->shard, PEER_LINGERING, 0, 1);
	weigh(one);
	return 0;
}

bool linger_record_takes(struct linger_record *one, int owed, int64_t now_ms)
{
	bool takes = owed > 0 && one->owed - owed >= LINGER_PROGRESS;

	one->owed = owed;
	if (owed > one->first) /* queued bytes have reached the socket */
		one->first = owed;
	return takes &&
	       owed <= linger_may_owe(one->first, now_ms - one->since_ms);
}

bool linger_record_measure(struct relay_conn *conn)
{
	weigh(conn->lingering);
	return !stall_conn_gives_way(conn, conn->lingering->held);
}

void linger_record_remove(struct relay_conn *conn)
{
	struct peers *peers = peers_of(conn->worker);
	struct linger_record *one = conn->lingering;

	if (!one)
		return;
	count(one, 0);
	linger_places_change(&peers->places, conn->addr, one->session, -1);
	*one->link = one->next;
	if (one->next)
		one->next->link = one->link;
	conn->lingering = NULL;
	free(one);
	peers->lingering_count--;
	peer_count(conn->worker->shard, PEER_LINGERING, 0, -1);
}
