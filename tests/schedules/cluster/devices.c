/* SPDX-License-Identifier: MPL-2.0 */

/* Devices, and their connections, of which one is theirs, and others may be
 * forgotten, or another device's with the same key. */

#include "cluster.h"

void happened(int device)
{
	w.device[device].happened = w.now;
}

void unnoticed(int device)
{
	happened(device);
	w.device[device].unnoticed = w.device[device].loose = true;
}

void note_alive(int device)
{
	unsigned alive = 0;

	for (int i = 0; i < (int)w.nodes; i++)
		alive += conn_at(device, i) &&
			 w.conn[conn_at(device, i)].answers;
	if (alive > 1)
		w.device[device].two_alive = w.now;
}

unsigned conn_at(int device, int node)
{
	return w.node[node].conn[device];
}

void conn_end(unsigned number, const char *why)
{
	struct conn *conn = &w.conn[number];
	struct event again = event_for(-1, EV_ACT);

	note_alive(conn->device);
	trace("conn %u of device %d ends: %s", number, conn->device, why);
	conn->open = false;
	w.node[conn->node].conn[conn->device] = 0;
	again.device = conn->device;
	if (conn->answers && !w.quiet && chance(600))
		at(w.now + between(500, 20000), &again);
}

static void leave_later(unsigned number, int64_t least, int64_t most)
{
	struct event event = event_for(w.conn[number].node, EV_LEFT);

	event.a = number;
	at(w.now + between(least, most), &event);
}

static void claim_conn(unsigned number)
{
	const struct conn *conn = &w.conn[number];
	struct claim_conn at_conn = {(int)(number % 3), number};

	happened(conn->device);
	if (chance(w.shortage) ||
		claims_joined(w.node[conn->node].claims, id_of(conn->device),
			at_conn, w.now) != 0)
		recount_later(conn->node);
}

void recount_later(int node)
{
	struct event event = event_for(node, EV_RECOUNT);

	trace("node %d has no memory for news", node);
	at(w.now + between(1000, 2500), &event);
}

void recount(int node)
{
	struct claims *claims = w.node[node].claims;

	if (chance(w.shortage)) {
		recount_later(node);
		return;
	}
	trace("node %d looks at all devices that are there", node);
	claims_recount(claims);
	for (int i = 0; i < DEVICES; i++) {
		unsigned number = conn_at(i, node);
		struct claim_conn at_conn = {(int)(number % 3), number};

		if (number && claims_seen(claims, id_of(i), at_conn, w.now))
			recount_later(node);
	}
	claims_recounted(claims, w.now);
}

static void join(int device, int node)
{
	unsigned old = conn_at(device, node);

	if (!node_runs(node) || w.conns == CONNS - 1)
		return;
	totals.joins++;
	if (old) {
		/* The node may hear of both in either order. */
		conn_end(old, "another one is in its place");
		leave_later(old, 0, 50);
	}
	w.conn[++w.conns] = (struct conn){.device = device,
		.node = node,
		.process = w.node[node].process,
		.open = true,
		.answers = true};
	trace("device %d joins node %d with conn %u", device, node, w.conns);
	w.node[node].conn[device] = w.conns;
	claim_conn(w.conns);
	note_alive(device);
}

/* The other side of a connection is gone, and the node notices it, or not. */
static void disconnect(unsigned number, bool noticed)
{
	struct conn *conn = &w.conn[number];

	note_alive(conn->device);
	happened(conn->device);
	trace("conn %u of device %d is gone%s", number, conn->device,
		noticed ? "" : ", silently");
	conn->answers = false;
	if (noticed)
		leave_later(number, 0, 200);
	else
		leave_later(number, 60000, 150000);
}

void conn_leaves(const struct event *event)
{
	struct conn *conn = &w.conn[event->a];
	struct claim_conn at_conn = {(int)(event->a % 3), event->a};

	note_alive(conn->device);
	if (conn->open) {
		happened(conn->device);
		w.node[event->node].conn[conn->device] = 0;
	}
	conn->open = false;
	if (chance(w.shortage)) {
		recount_later(event->node);
		return;
	}
	claims_left(w.node[event->node].claims, id_of(conn->device), at_conn,
		w.now);
}

/* One that answers; 0: none. */
static unsigned some_conn(int device)
{
	unsigned found = 0;
	int64_t seen = 0;

	for (int i = 0; i < (int)w.nodes; i++) {
		unsigned conn = conn_at(device, i);

		if (conn && w.conn[conn].answers && between(0, seen++) == 0)
			found = conn;
	}
	return found;
}

void device_acts(int device)
{
	unsigned conn = some_conn(device);
	int node = (int)between(0, w.nodes - 1);

	if (!conn) {
		if (chance(800))
			join(device, node);
	} else if (chance(350)) { /* it moves */
		disconnect(conn, chance(500));
		join(device, node);
	} else if (chance(250)) {
		disconnect(conn, true);
	} else if (chance(200)) {
		disconnect(conn, false);
	} else if (chance(400)) {
		join(device, node); /* as a second one */
	} else if (chance(300)) {
		disconnect(conn, chance(500));
		join(device, w.conn[conn].node);
	}
}

void devices_leave(void)
{
	for (unsigned i = 1; i <= w.conns; i++)
		if (w.conn[i].open)
			disconnect(i, true);
}
