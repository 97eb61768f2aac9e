/* SPDX-License-Identifier: MPL-2.0 */

/* What must hold. */

#include "cluster.h"

static bool has(int node, int device)
{
	return w.node[node].up &&
	       claims_has(w.node[node].claims, id_of(device));
}

/* The registry works for this node. */
static bool reaches(int node)
{
	const struct node *n = &w.node[node];
	const struct server *s = &w.server[n->server < 0 ? 0 : n->server];

	return node_runs(node) && share_server(node, node) && s->up &&
	       s->primary && s->lease_ends[n->process] > w.now;
}

/* Whether it is had by a node with which it cannot be settled now. */
static bool is_unsettled(int device)
{
	int server = -1;

	if (w.slow || w.loss > 500)
		return true;
	for (int i = 0; i < (int)w.nodes; i++) {
		if (!has(i, device))
			continue;
		if (!reaches(i))
			return true;
		if (server >= 0 && server != w.node[i].server)
			return true;
		server = w.node[i].server;
	}
	return false;
}

enum found { FOUND, MISSING, SOON_OVER };

/* What who asks through this node gets. */
static enum found find(int node, int device)
{
	const struct server *s = &w.server[w.node[node].server];
	struct owner owner = s->entry[device];
	int at_node;

	if (!owner.incarnation || owner.incarnation > w.processes ||
		s->lease_ends[owner.incarnation - 1] <= w.now)
		return MISSING;
	at_node = node_of(owner.incarnation);
	if (at_node < 0 || !node_runs(at_node))
		return SOON_OVER; /* its lease is */
	if (has(at_node, device))
		return FOUND;
	/* Who asks there makes it look. */
	if (chance(10))
		claims_missed(w.node[at_node].claims, id_of(device));
	return MISSING;
}

/* By all who have it.  `silent`: also if its connection does not live. */
static bool is_found(int device, bool silent)
{
	for (int i = 0; i < (int)w.nodes; i++) {
		unsigned conn = has(i, device) ? conn_at(device, i) : 0;

		if (silent && !conn && has(i, device))
			return false;
		if (conn && silent && !reaches(i))
			return false;
		if (!conn || !reaches(i) || (!silent && !w.conn[conn].answers))
			continue;
		switch (find(i, device)) {
		case MISSING:
			return false;
		case SOON_OVER:
			happened(device);
			if (silent)
				return false;
			break;
		default:
			break;
		}
	}
	return true;
}

unsigned owners(int device)
{
	unsigned count = 0;

	for (int i = 0; i < (int)w.nodes; i++)
		count += has(i, device) && node_runs(i);
	return count;
}

static bool is_late(int64_t since, const struct device *device, int64_t bound)
{
	if (device->happened > since)
		since = device->happened;
	return w.now - since > bound;
}

/* A connection whose node does not know it. */
static bool is_forgotten(int device)
{
	for (int i = 0; i < (int)w.nodes; i++)
		if (w.node[i].up && conn_at(device, i) && !has(i, device))
			return true;
	return false;
}

static void check_device(int number)
{
	struct device *device = &w.device[number];
	int64_t soon = SOON_MS, back = device->lost ? SOON_MS : BACK_MS;

	note_alive(number);
	if (w.shortage)
		device->unnoticed = true;
	else if (is_forgotten(number))
		wrong("device %d is here, and not claimed", number);
	if (device->unnoticed)
		soon = back = LATE_MS;
	if (is_unsettled(number))
		happened(number);
	if (owners(number) < 2)
		device->single = w.now;
	if (is_found(number, false))
		device->found = w.now;
	if (device->single == w.now && is_found(number, true)) {
		device->lost = 0;
		device->unnoticed = false;
	}
	if (is_late(device->single, device, soon))
		wrong("device %d has had several nodes for too long", number);
	if (is_late(device->found, device, back))
		wrong("device %d has not been found for too long", number);
}

void check(void)
{
	struct event event = event_for(-1, EV_CHECK);

	for (int i = 0; i < DEVICES; i++)
		check_device(i);
	at(w.now + 250, &event);
}

bool all_fine(void)
{
	for (int i = 0; i < DEVICES; i++)
		if (owners(i) > 1 || !is_found(i, false))
			return false;
	return true;
}

/* It drops what comes from others. */
static bool knows(int node, int other)
{
	return w.node[node].seen_ends[w.node[other].process] > w.now;
}

int is_sure(int node, int device)
{
	const struct device *d = &w.device[device];
	struct owner entry = w.server[w.node[node].server].entry[device];

	if (w.loss || w.shortage || w.delay > PROMPT_MS || !reaches(node) ||
		is_unsettled(device) || d->unnoticed || d->lost ||
		w.now - d->happened < SOON_MS || owners(device) > 1 ||
		!is_found(device, true))
		return -1;
	/* An entry without a device may be of a node that hangs or has died. */
	if (!owners(device))
		return entry.incarnation ? -1 : 0;
	for (int i = 0; i < (int)w.nodes; i++)
		if (has(i, device) &&
			(!share_server(node, i) || !knows(i, node) ||
				!knows(node, i)))
			return -1;
	return 1;
}

void check_left(bool loose)
{
	const struct server *s = &w.server[w.server[1].primary];

	for (int i = 0; i < DEVICES; i++)
		if (node_of(s->entry[i].incarnation) >= 0 &&
			(loose || !w.device[i].loose))
			wrong("node %d has left device %d in the registry",
				node_of(s->entry[i].incarnation), i);
}

void check_end(void)
{
	struct claims_count count;

	for (int i = 0; i < (int)w.nodes; i++) {
		claims_counts(w.node[i].claims, &count);
		if (count.devices || count.unclaimed)
			wrong("node %d keeps a device that has left", i);
		if (w.node[i].first != w.node[i].last)
			wrong("a claim of node %d is not answered", i);
	}
	check_left(true);
}
