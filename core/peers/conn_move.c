/* SPDX-License-Identifier: MPL-2.0 */

/* Connections: moves one from a worker to another. */

#include <stdlib.h>
#include <string.h>

#include "peers/conn_end.h"
#include "peers/conn_event.h"
#include "peers/conn_move.h"
#include "peers/conn_state.h"
#include "peers/peers_state.h"
#include "peers/question_end.h"
#include "peers/strangers.h"
#include "workers/workers.h"

/* For modules of older API versions, to move a connection was to settle it. */
#define MINOR_SETTLES 8

/* A move under way; owns the connection until it arrives. */
struct conn_move {
	struct conn_move *next; /* on the worker's list `leaving` */
	struct relay_conn *conn;
	struct relay_module *mod;
	uint64_t serial;
	relay_conn_moved_fn *then;
	int to;
	_Alignas(max_align_t) unsigned char arg[RELAY_MOVE_ARG];
};

static void arrive(struct loop *loop, void *arg)
{
	struct conn_move *move = *(struct conn_move **)arg;
	struct worker *worker = worker_of(loop);
	struct peers *peers = peers_of(worker);
	struct relay_conn *conn = move->conn;
	const struct relay_ctx *before;

	conn->worker = worker;
	conn->phase = CONN_TAKEN;
	/* NULL if the module was removed. */
	conn->owner =
		module_ctx_on(move->mod, move->serial, worker->loop.index);
	conn->id = object_table_add(&peers->conns, conn);
	/* This also happens if it is ended below: conn_end() undoes it. */
	if (conn_watch(conn) != 0 || !conn->id || !conn->owner ||
		peers->stopping ||
		(!conn->settled &&
			strangers_enter(&peers->strangers, conn) != 0)) {
		conn_end(conn,
			peers->stopping ? RELAY_END_STOP : RELAY_END_ERROR);
	} else {
		before = hooks_enter(conn->owner);
		move->then(conn->owner, conn, move->arg);
		hooks_leave(before);
	}
	free(move);
}

void conn_send_off(struct worker *worker)
{
	struct peers *peers = peers_of(worker);
	struct conn_move *list = peers->leaving;

	peers->leaving = NULL;
	while (list) {
		struct conn_move *move = list;
		struct relay_conn *conn = move->conn;

		list = move->next;
		if (conn->reread) { /* wait until it is off that list */
			move->next = peers->leaving;
			peers->leaving = move;
			continue;
		}
		if (loop_post(&workers_get((unsigned)move->to)->loop, arrive,
			    &move, sizeof(move)) == 0)
			continue;
		conn->phase = CONN_TAKEN;
		conn_end(conn, RELAY_END_ERROR);
		free(move);
	}
}

void relay_conn_move(struct relay_ctx *cx, struct relay_conn *conn, int to,
	relay_conn_moved_fn *then, const void *arg, size_t len)
{
	struct worker *from = conn->worker;
	struct peers *peers = peers_of(from);
	struct conn_move *move = NULL;

	if (conn->phase == CONN_TAKEN && !conn->tls && !conn->ended &&
		to >= 0 && to < (int)workers_count() && len <= RELAY_MOVE_ARG)
		move = malloc(sizeof(*move));
	if (!move) {
		conn_end(conn, RELAY_END_ERROR);
		return;
	}
	move->conn = conn;
	move->mod = cx->mod;
	move->serial = cx->mod->serial;
	move->then = then;
	move->to = to;
	if (len)
		memcpy(move->arg, arg, len);
	question_drop(conn);
	if (cx->mod->def.abi_minor < MINOR_SETTLES)
		relay_conn_settled(conn);
	/* Meanwhile nobody can evict it. */
	strangers_leave(&peers->strangers, conn, false, 0);
	/*
	 * The other worker may use the connection as soon as it gets the
	 * message.  Callers of this function still use it, so the message is
	 * sent when the event is over.
	 */
	conn->phase = CONN_MOVING;
	event_del(&conn->event);
	deadline_clear(from, &conn->deadline);
	object_table_remove(&peers->conns, conn->id);
	move->next = peers->leaving;
	peers->leaving = move;
}
