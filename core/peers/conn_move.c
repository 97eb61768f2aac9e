/* SPDX-License-Identifier: MPL-2.0 */

/* Connections: moves one from a worker to another. */

#include <stdlib.h>
#include <string.h>

#include "peers/conn_end.h"
#include "peers/conn_event.h"
#include "peers/conn_move.h"
#include "peers/conn_state.h"
#include "peers/peers_state.h"
#include "workers/workers.h"

/* A move under way; owns the connection until it arrives. */
struct passage {
	struct passage *next; /* on the worker's list `leaving` */
	struct relay_conn *conn;
	struct relay_module *mod;
	uint64_t serial;
	relay_conn_moved_fn *then;
	int to;
	_Alignas(max_align_t) unsigned char arg[RELAY_MOVE_ARG];
};

/* The module's context on this worker; NULL if the module has left. */
static struct relay_ctx *owner_here(
	const struct passage *passage, const struct worker *worker)
{
	struct module_ctx *ctx;

	if (passage->mod->serial != passage->serial || !passage->mod->workers)
		return NULL;
	ctx = &passage->mod->workers[worker->loop.index];
	return ctx->entered ? &ctx->pub : NULL;
}

static void arrive(struct loop *loop, void *arg)
{
	struct passage *passage = *(struct passage **)arg;
	struct worker *worker = worker_of(loop);
	struct peers *peers = peers_of(worker);
	struct relay_conn *conn = passage->conn;
	const struct relay_ctx *before;

	conn->worker = worker;
	conn->phase = CONN_TAKEN;
	conn->owner = owner_here(passage, worker);
	conn->id = object_table_add(&peers->conns, conn);
	/* Also if it is ended below: conn_end() undoes this. */
	if (conn_watch(conn) != 0 || !conn->id || !conn->owner ||
		peers->stopping) {
		conn_end(conn,
			peers->stopping ? RELAY_END_STOP : RELAY_END_ERROR);
	} else {
		before = hooks_enter(conn->owner);
		passage->then(conn->owner, conn, passage->arg);
		hooks_leave(before);
	}
	free(passage);
}

void conn_send_off(struct worker *worker)
{
	struct peers *peers = peers_of(worker);
	struct passage *list = peers->leaving;

	peers->leaving = NULL;
	while (list) {
		struct passage *passage = list;
		struct relay_conn *conn = passage->conn;

		list = passage->next;
		if (conn->reread) { /* wait until it is off that list */
			passage->next = peers->leaving;
			peers->leaving = passage;
			continue;
		}
		if (loop_post(&workers_get((unsigned)passage->to)->loop, arrive,
			    &passage, sizeof(passage)) == 0)
			continue;
		conn->phase = CONN_TAKEN;
		conn_end(conn, RELAY_END_ERROR);
		free(passage);
	}
}

void relay_conn_move(struct relay_ctx *cx, struct relay_conn *conn, int to,
	relay_conn_moved_fn *then, const void *arg, size_t len)
{
	struct worker *from = conn->worker;
	struct peers *peers = peers_of(from);
	struct passage *passage = NULL;

	if (conn->phase == CONN_TAKEN && !conn->ssl && !conn->ended &&
		to >= 0 && to < (int)workers_count() && len <= RELAY_MOVE_ARG)
		passage = malloc(sizeof(*passage));
	if (!passage) {
		conn_end(conn, RELAY_END_ERROR);
		return;
	}
	passage->conn = conn;
	passage->mod = cx->mod;
	passage->serial = cx->mod->serial;
	passage->then = then;
	passage->to = to;
	if (len)
		memcpy(passage->arg, arg, len);
	relay_conn_settled(conn);
	/*
	 * The other worker may use the connection as soon as it is told, while
	 * callers of this function still do.  So it is told when the event is
	 * over.
	 */
	conn->phase = CONN_MOVING;
	event_del(&conn->event);
	deadline_clear(from, &conn->deadline);
	object_table_remove(&peers->conns, conn->id);
	passage->next = peers->leaving;
	peers->leaving = passage;
}
