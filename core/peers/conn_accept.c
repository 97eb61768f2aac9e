/* SPDX-License-Identifier: MPL-2.0 */

/* Connections: accepted by this process, or by another one. */

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peers/peer_metrics.h"
#include "net/net_metrics.h"
#include "net/capacity.h"
#include "peers/conn_accept.h"
#include "peers/conn_address.h"
#include "peers/conn_end.h"
#include "peers/conn_event.h"
#include "peers/conn_open.h"
#include "peers/conn_state.h"
#include "peers/listener_facts.h"
#include "peers/peers_state.h"
#include "peers/strangers.h"

/* The deadline until a module sets one. */
#define OPENING_MS 60000

static struct relay_conn *conn_make(struct worker *worker, int fd,
	const struct sockaddr_storage *from, const struct sockaddr_storage *to,
	struct listener_facts *facts)
{
	struct peers *peers = peers_of(worker);
	const struct layout *layout = worker->hooks->layout;
	struct relay_conn *conn = calloc(1, sizeof(*conn) + layout->conn_bytes);

	if (!conn)
		return NULL;
	conn->worker = worker;
	conn->layout = layout;
	layout_enter(layout);
	conn->fd = fd;
	conn_set_address(conn, from);
	conn->id = object_table_add(&peers->conns, conn);
	if (conn->id && conn_set_came_in(conn, to) == 0 &&
		strangers_enter(&peers->strangers, conn) == 0 &&
		conn_watch(conn) == 0) {
		conn->facts = listener_facts_share(facts);
		listener_now(facts, 1);
		return conn;
	}
	strangers_leave(&peers->strangers, conn, false, 0);
	object_table_remove(&peers->conns, conn->id);
	layout_leave(layout);
	free(conn->came_in);
	free(conn);
	return NULL;
}

struct relay_conn *conn_accept(struct worker *worker, int fd,
	const struct sockaddr_storage *from, const struct sockaddr_storage *to,
	struct listener_facts *facts)
{
	struct relay_denial why = {RELAY_REFUSE_POLICY, "refused"};
	struct relay_conn *conn;
	int on = 1;

	/* Small messages of sessions must not wait for each other. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	conn = conn_make(worker, fd, from, to, facts);
	if (!conn) {
		net_count(
			worker->shard, NET_ACCEPT_ERRORS, NET_ACCEPT_MEMORY, 1);
		capacity_leave();
		close(fd);
		return NULL;
	}
	peer_count(worker->shard, PEER_CONNECTIONS_ACCEPTED, 0, 1);
	peer_count(worker->shard, PEER_CONNECTIONS, PEER_CONN_OPENING, 1);
	relay_conn_deadline(conn, OPENING_MS);
	if (hooks_conn_accept(worker->hooks, conn, &why, &conn->asked) !=
		RELAY_PASS) {
		conn_refused(conn, &why);
		conn_end(conn, RELAY_END_DENIED);
	}
	return conn->phase == CONN_OPENING ? conn : NULL;
}

void conn_give_read(struct relay_conn *conn, const void *data, size_t len)
{
	if (!conn || len == 0)
		return;
	conn->unread = malloc(sizeof(*conn->unread) + len);
	if (!conn->unread) {
		conn_end(conn, RELAY_END_ERROR);
		return;
	}
	conn->unread->at = 0;
	conn->unread->len = len;
	memcpy(conn->unread->data, data, len);
	conn_first_byte(conn); /* no further event may come */
}
