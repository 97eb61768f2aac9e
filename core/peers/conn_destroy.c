/* SPDX-License-Identifier: MPL-2.0 */

/* Connections: releases what one owns, and frees it. */

#include <stdlib.h>

#include "loop/heap_trim.h"
#include "net/capacity.h"
#include "peers/conn_destroy.h"
#include "peers/conn_state.h"
#include "peers/linger_records.h"
#include "peers/listener_facts.h"
#include "peers/peers_state.h"
#include "peers/strangers.h"
#include "peers/socket_end.h"
#include "tls/tls_conn.h"

void conn_destroy(struct relay_conn *conn)
{
	struct worker *worker = conn->worker;
	struct peers *peers = peers_of(worker);

	linger_record_remove(conn);
	deadline_clear(worker, &conn->deadline);
	event_del(&conn->event);
	if (conn->tls) {
		tls_conn_free(conn->tls);
		conn->tls = NULL;
		heap_trim_note();
	}
	free(conn->queue);
	conn->queue = NULL;
	free(conn->unread);
	conn->unread = NULL;
	free(conn->came_in);
	conn->came_in = NULL;
	listener_now(conn->facts, -1);
	if (conn->settled)
		listener_settled(conn->facts, -1);
	listener_facts_leave(conn->facts);
	conn->facts = NULL;
	socket_end(conn);
	conn->fd = -1;
	capacity_leave();
	if (conn->settled)
		capacity_unsettle();
	strangers_leave(&peers->strangers, conn, conn->heard, loop_clock_ms());
	conn->phase = CONN_DEAD;
	conn->next = peers->dead;
	peers->dead = conn;
}

void conn_reap(struct worker *worker)
{
	struct peers *peers = peers_of(worker);
	struct relay_conn *conn, *later = NULL;

	conn = peers->dead;
	while (conn) {
		struct relay_conn *next = conn->next;

		if (conn->reread) { /* the list `reread` still points to it */
			conn->next = later;
			later = conn;
		} else {
			layout_leave(conn->layout);
			free(conn);
		}
		conn = next;
	}
	peers->dead = later;
}
