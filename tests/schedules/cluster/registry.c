/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The registry: two servers, of which one is the primary and the other follows
 * it late.  What each operation does is in modules/cluster/registry.h.
 */

#include <string.h>

#include "cluster.h"

void registry_begin(void)
{
	memset(w.server, 0, sizeof(w.server));
	for (int i = 0; i < SERVERS; i++) {
		w.server[i].up = true;
		w.server[i].primary = i == 0;
		w.server[i].side = i;
		w.server[i].run = ++w.runs;
	}
}

/* When something arrives at the other end of a link: not before the last one.
 */
static int64_t later(int64_t last)
{
	int64_t when = w.now + between(0, 10 + w.slow / 2);

	return when > last ? when : last;
}

static void add_flight(int node, int device, uint64_t number)
{
	struct node *n = &w.node[node];

	for (unsigned i = n->first; i < n->last && !number; i++)
		if (n->flight[i % FLIGHTS].device == device &&
			!n->flight[i % FLIGHTS].number)
			wrong("node %d has two claims of device %d under way",
				node, device);
	n->flight[n->last++ % FLIGHTS] = (struct flight){device, number};
	if (n->last - n->first == FLIGHTS)
		wrong("too much is under way");
}

int registry_ask(int node, enum op op, int device, enum claim_how how,
	uint64_t number, uint64_t serial)
{
	struct node *n = &w.node[node];
	struct event event = event_for(node, EV_EXECUTE);

	/* A slow one is left alone for a while. */
	if (n->server < 0 || (w.slow && chance(100)))
		return -1;
	event.op = (uint8_t)op;
	event.how = (uint8_t)how;
	event.device = device;
	event.a = number;
	event.b = serial;
	event.asked = ++w.asked;
	event.server = (uint8_t)n->server;
	event.run = n->run;
	event.link = n->link;
	n->executes = later(n->executes);
	at(n->executes, &event);
	if (op != OP_RELEASE)
		add_flight(node, device, op == OP_FIND ? number : 0);
	return 0;
}

static void put_entry(struct server *server, int device, struct owner owner,
	uint64_t serial, uint64_t asked)
{
	server->entry[device] = owner;
	server->serial[device] = serial;
	server->asked[device] = asked;
}

static void write_entry(int server, int device, struct owner owner,
	uint64_t serial, uint64_t asked)
{
	struct event event = event_for(-1, EV_REPLICATE);

	put_entry(&w.server[server], device, owner, serial, asked);
	event.b = serial;
	event.asked = asked;
	event.server = (uint8_t)!server;
	event.run = w.server[!server].run;
	event.device = device;
	event.now = owner;
	if (!w.divided)
		at(w.now + w.lag, &event);
}

void registry_replicate(const struct event *event)
{
	struct server *server = &w.server[event->server];

	if (server->up && !server->primary && !w.divided &&
		server->run == event->run)
		put_entry(server, event->device, event->now, event->b,
			event->asked);
	else
		w.device[event->device].loose = true;
}

static struct owner claim(const struct event *event, struct owner before)
{
	struct owner mine = {(uint64_t)event->process + 1, event->a};

	if (event->how == CLAIM_JOIN) {
		if (before.incarnation && before.epoch > mine.epoch)
			mine.epoch = before.epoch;
		mine.epoch++;
		return mine;
	}
	if (!before.incarnation || before.epoch < mine.epoch ||
		(before.epoch == mine.epoch &&
			before.incarnation < mine.incarnation))
		return mine;
	return before;
}

/* A claim that is executed late does not lower what a later one has stored. */
static void store(const struct event *event, struct owner owner)
{
	const struct server *server = &w.server[event->server];
	int device = event->device;
	uint64_t serial = event->b, asked = event->asked;
	bool ours = server->entry[device].incarnation == owner.incarnation;

	if (owner.incarnation != (uint64_t)event->process + 1)
		return;
	if (ours && server->serial[device] > serial)
		serial = server->serial[device];
	if (ours && server->asked[device] > asked)
		asked = server->asked[device];
	write_entry(event->server, device, owner, serial, asked);
}

static void release(const struct event *event)
{
	const struct server *server = &w.server[event->server];
	int device = event->device;

	if (server->entry[device].incarnation != (uint64_t)event->process + 1 ||
		server->serial[device] > event->b)
		return;
	if (server->asked[device] > event->asked)
		wrong("a release removes what device %d has claimed since",
			device);
	write_entry(event->server, device, (struct owner){0, 0}, 0, 0);
}

static enum find_end find(const struct event *event)
{
	const struct server *server = &w.server[event->server];
	uint64_t owner = server->entry[event->device].incarnation;

	if (owner == (uint64_t)event->process + 1)
		return FIND_OURS;
	if (!owner || owner > w.processes ||
		server->lease_ends[owner - 1] <= w.now)
		return FIND_NOBODY;
	message_send(event->node, OP_ASK, owner, event->device, event->a);
	return FIND_SENT;
}

void registry_execute(const struct event *event)
{
	struct server *server = &w.server[event->server];
	struct node *n = &w.node[event->node];
	struct event answer = *event;
	struct owner *entry = &server->entry[event->device];
	bool same_link = n->up && n->process == event->process &&
			 n->link == event->link && n->server >= 0;

	/* What a link still had under way may come through, late. */
	if (!same_link && !event->waited) {
		answer.waited = true;
		at(w.now + between(0, 2000), &answer);
		return;
	}
	if (!server->up || !server->primary || server->run != event->run ||
		(!same_link && chance(500))) {
		w.device[event->device].loose = true;
		return;
	}
	if (!same_link)
		unnoticed(event->device);
	if (event->op == OP_RELEASE) {
		release(event);
		return;
	}
	answer.what = EV_ANSWER;
	if (event->op == OP_FIND) {
		answer.b = find(event);
	} else {
		answer.before = *entry;
		answer.now = claim(event, *entry);
		store(event, answer.now);
	}
	if (!same_link)
		return;
	n->answers = later(n->answers);
	at(n->answers, &answer);
}

void registry_answer(const struct event *event)
{
	struct node *n = &w.node[event->node];
	const struct flight *flight;

	if (n->link != event->link || n->server < 0)
		return;
	flight = &n->flight[n->first++ % FLIGHTS];
	if (n->first > n->last || flight->device != event->device ||
		flight->number != (event->op == OP_FIND ? event->a : 0))
		wrong("the answers are out of order");
	if (flight->number) {
		asks_found(n->asks, event->a, (enum find_end)event->b, w.now);
		return;
	}
	trace("node %d: device %d %s %d/%llu -> %d/%llu", event->node,
		event->device, event->how == CLAIM_JOIN ? "join" : "check",
		(int)event->before.incarnation,
		(unsigned long long)event->before.epoch,
		(int)event->now.incarnation,
		(unsigned long long)event->now.epoch);
	claims_claimed(n->claims, id_of(event->device), &event->before,
		&event->now, w.now);
}

void link_lose(int node, int64_t most_ms)
{
	struct event event = event_for(node, EV_BREAK);

	event.link = w.node[node].link;
	if (w.node[node].server >= 0)
		at(w.now + between(0, most_ms), &event);
}

void link_break(int node)
{
	static const struct owner nobody = {0, 0};
	struct node *n = &w.node[node];
	struct event event = event_for(node, EV_CONNECT);

	trace("node %d: the registry is away", node);
	n->server = -1;
	for (int i = 0; i < DEVICES; i++)
		if (conn_at(i, node))
			happened(i);
	while (n->first != n->last) {
		struct flight flight = n->flight[n->first++ % FLIGHTS];

		if (flight.number) {
			asks_found(n->asks, flight.number, FIND_UNKNOWN, w.now);
			continue;
		}
		unnoticed(flight.device);
		claims_claimed(n->claims, id_of(flight.device), &nobody,
			&nobody, w.now);
	}
	claims_away(n->claims, w.now);
	at(w.now + between(10, 1000), &event);
}

void link_connect(int node)
{
	struct node *n = &w.node[node];
	struct event event = event_for(node, EV_CONNECT);
	bool whole;

	for (int i = 0; i < SERVERS && n->server < 0; i++)
		if (w.server[i].up && w.server[i].primary &&
			(!w.divided || w.server[i].side == n->side))
			n->server = i;
	if (n->server < 0) {
		at(w.now + between(100, 1000), &event);
		return;
	}
	n->link++;
	n->executes = n->answers = w.now;
	whole = n->run == w.server[n->server].run;
	n->run = w.server[n->server].run;
	trace("node %d: server %d is back%s", node, n->server,
		whole ? ", whole" : "");
	claims_back(n->claims, whole, w.now);
	event = event_for(node, EV_REFRESH);
	event.link = n->link;
	at(w.now, &event);
}

bool share_server(int a, int b)
{
	const struct node *n = &w.node[a], *m = &w.node[b];

	return n->server >= 0 && n->server == m->server && n->run == m->run &&
	       n->run == w.server[n->server].run;
}

void refresh(int node)
{
	struct node *n = &w.node[node];
	struct event event = event_for(node, EV_LEASE_SEEN);

	if (n->own_ends && w.now >= n->own_ends) {
		trace("node %d: its lease was over", node);
		claims_lapsed(n->claims, w.now);
	}
	n->own_ends = w.now + LEASE_MS;
	if (share_server(node, node))
		w.server[n->server].lease_ends[n->process] = n->own_ends;
	event.b = (uint64_t)n->process;
	for (int i = 0; i < (int)w.nodes; i++)
		if (w.node[i].up && share_server(node, i) && !chance(w.loss)) {
			event.node = i;
			event.process = w.node[i].process;
			at(w.now + between(1, w.delay), &event);
		}
	event = event_for(node, EV_REFRESH);
	event.link = n->link;
	at(w.now + 3000, &event);
}
