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

/* What decides who goes first, in this order; larger values go first. */
struct rank {
	bool stranger;   /* no session has left it bytes */
	unsigned places; /* of its source */
	int64_t source;  /* bytes of its source */
	size_t held;
};

static struct rank rank_of(
	const struct peers *peers, const struct lingering *account)
{
	const uint8_t *addr = account->conn->addr;

	return (struct rank){
		.stranger = !account->session,
		.places = linger_places_held(
			&peers->places, addr, account->session),
		.source = account->session ? memory_source_held(addr) : 0,
		.held = account->held,
	};
}

static bool at_least(const struct rank *a, const struct rank *b)
{
	if (a->stranger != b->stranger)
		return a->stranger;
	if (a->places != b->places)
		return a->places > b->places;
	if (a->source != b->source)
		return a->source > b->source;
	return a->held >= b->held;
}

/* Of equal ones the oldest, which is the last on the list. */
static struct relay_conn *first_to_go(const struct peers *peers, bool session)
{
	struct relay_conn *found = NULL;
	struct rank most = {0};

	for (struct lingering *one = peers->accounts; one; one = one->next) {
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

bool lingering_has_place(const struct relay_conn *conn, bool session,
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
	if (peers->lingering < LINGER_MOST)
		return true;
	*instead = first_to_go(peers, session);
	peer_count(conn->worker->shard, PEER_LINGER_REFUSED, PEER_LINGER_PLACES,
		1);
	return *instead;
}

int lingering_add(struct relay_conn *conn, bool session)
{
	struct peers *peers = peers_of(conn->worker);
	struct lingering *account;

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
	linger_places_change(&peers->places, conn->addr, session, 1);
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
	linger_places_change(&peers->places, conn->addr, account->session, -1);
	*account->link = account->next;
	if (account->next)
		account->next->link = account->link;
	conn->account = NULL;
	free(account);
	peers->lingering--;
	peer_count(conn->worker->shard, PEER_LINGERING, 0, -1);
}
