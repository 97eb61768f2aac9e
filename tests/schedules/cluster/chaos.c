/* SPDX-License-Identifier: MPL-2.0 */

/* What goes wrong. */

#include <string.h>

#include "cluster.h"

enum chaos {
	CHAOS_DIE,
	CHAOS_HANG,
	CHAOS_BLIP,     /* a node's link */
	CHAOS_FAILOVER, /* what the other server does not yet have is lost */
	CHAOS_RESTART,  /* of the server: empty, with old entries, with all */
	CHAOS_EVICT,
	CHAOS_CORRUPT,
	CHAOS_SLOW,
	CHAOS_DIVIDE,
	CHAOS_LOSS,
	CHAOS_KINDS
};

/* Stages of what lasts. */
enum heal {
	HEAL_PROMOTE = CHAOS_KINDS,
	HEAL_FOLLOW,
	HEAL_RESTART,
	HEAL_DIVIDED,
	HEAL_UNITE,
	HEAL_SLOW,
	HEAL_LOSS
};

static void heal_later(enum heal what, int64_t least, int64_t most)
{
	struct event event = event_for(-1, EV_HEAL);

	event.op = (uint8_t)what;
	at(w.now + between(least, most), &event);
	w.busy = true;
}

static int primary(void)
{
	return w.server[0].primary ? 0 : 1;
}

static void lose_links(int server, int64_t most_ms)
{
	for (int i = 0; i < (int)w.nodes; i++)
		if (w.node[i].up && w.node[i].server == server)
			link_lose(i, most_ms);
}

static void follow(int server)
{
	struct server *s = &w.server[server];

	memcpy(s->entry, w.server[!server].entry, sizeof(s->entry));
	memcpy(s->serial, w.server[!server].serial, sizeof(s->serial));
	memcpy(s->asked, w.server[!server].asked, sizeof(s->asked));
	memcpy(s->lease_ends, w.server[!server].lease_ends,
		sizeof(s->lease_ends));
	s->up = true;
	s->primary = false;
	s->run = ++w.runs;
}

static void promote(int server)
{
	w.server[server].primary = true;
	w.server[server].run = ++w.runs;
	memcpy(w.server[server].lease_ends, w.server[!server].lease_ends,
		sizeof(w.server[server].lease_ends));
	trace("server %d is promoted", server);
}

/* What was released may come back. */
static void all_loose(void)
{
	for (int i = 0; i < DEVICES; i++)
		w.device[i].loose = true;
}

static void begin_failover(void)
{
	int server = primary();

	trace("server %d dies", server);
	all_loose();
	w.server[server].up = false;
	w.server[server].primary = false;
	lose_links(server, 1000);
	heal_later(HEAL_PROMOTE, 500, 5000);
}

static void begin_restart(void)
{
	struct server *s = &w.server[primary()];

	s->up = false;
	lose_links(primary(), 1000);
	if (chance(400)) {
		trace("the server restarts empty");
		memset(s->entry, 0, sizeof(s->entry));
		memset(s->lease_ends, 0, sizeof(s->lease_ends));
	} else if (chance(700)) {
		trace("the server restarts with an old state");
		all_loose();
		memcpy(s->entry, w.old, sizeof(s->entry));
		memset(s->serial, 0, sizeof(s->serial));
		memset(s->asked, 0, sizeof(s->asked));
	} else {
		trace("the server restarts");
	}
	heal_later(HEAL_RESTART, 200, 3000);
}

static void begin_divided(void)
{
	trace("the network is divided");
	all_loose();
	w.divided = true;
	for (int i = 0; i < (int)w.nodes; i++) {
		w.node[i].side = (int)between(0, 1);
		if (w.node[i].up && w.node[i].server >= 0 &&
			w.server[w.node[i].server].side != w.node[i].side)
			link_lose(i, 2000);
	}
	heal_later(HEAL_DIVIDED, 2000, 8000);
}

static void unite(void)
{
	int loser = (int)between(0, 1);

	trace("the network is whole, server %d follows", loser);
	w.divided = false;
	if (!w.server[!loser].primary)
		loser = !loser;
	follow(loser);
	lose_links(loser, 1000);
}

static void spoil_entries(bool evict)
{
	struct server *s = &w.server[primary()];

	for (int i = 0; i < DEVICES; i++) {
		if (chance(500))
			continue;
		trace("the entry of device %d is %s", i,
			evict ? "evicted" : "changed");
		unnoticed(i);
		if (evict) {
			s->entry[i] = (struct owner){0, 0};
			continue;
		}
		w.device[i].forged = true;
		s->serial[i] = s->asked[i] = 0;
		s->entry[i].incarnation = (uint64_t)between(1, w.processes);
		s->entry[i].epoch += (uint64_t)between(0, 2);
		if (s->entry[i].epoch > 1 && chance(500))
			s->entry[i].epoch -= (uint64_t)between(1, 2);
		if (chance(20))
			s->entry[i].epoch = UINT64_C(1) << 50;
	}
}

static void hang(int node)
{
	struct event event = event_for(node, EV_WAKE);
	struct node *n = &w.node[node];

	n->hangs = true;
	n->wakes = w.now + between(2000, 40000);
	trace("node %d hangs", node);
	at(n->wakes, &event);
}

static void lasting(enum chaos what)
{
	if (w.busy)
		return;
	switch (what) {
	case CHAOS_FAILOVER:
		begin_failover();
		break;
	case CHAOS_RESTART:
		begin_restart();
		break;
	case CHAOS_DIVIDE:
		begin_divided();
		break;
	case CHAOS_SLOW:
		trace("the registry is slow");
		w.slow = between(100, 3000);
		heal_later(HEAL_SLOW, 1000, 10000);
		break;
	default:
		trace("messages are lost");
		w.loss = 700;
		heal_later(HEAL_LOSS, 3000, 20000);
	}
}

static void disturb(enum chaos what)
{
	int node = (int)between(0, w.nodes - 1);
	struct event event = event_for(node, EV_START);

	totals.disturbances++;
	switch (what) {
	case CHAOS_DIE:
		if (w.node[node].up && w.processes < PROCESSES - NODES) {
			node_die(node);
			at(w.now + between(1000, 20000), &event);
		}
		break;
	case CHAOS_HANG:
		if (node_runs(node))
			hang(node);
		break;
	case CHAOS_BLIP:
		if (w.node[node].up)
			link_lose(node, 0);
		break;
	case CHAOS_EVICT:
	case CHAOS_CORRUPT:
		if (!w.busy)
			spoil_entries(what == CHAOS_EVICT);
		break;
	default:
		lasting(what);
	}
}

void chaos_begin(void)
{
	static const int64_t calm[] = {500, 3000, 10000, 40000};

	w.chaos = (unsigned)random_next() & (unsigned)random_next();
	w.base_loss = chance(500) ? 0 : (unsigned)between(1, 150);
	w.loss = w.base_loss;
	w.doubled = chance(500) ? 0 : (unsigned)between(1, 300);
	w.shortage = chance(60) ? 20 : 0;
	w.failing = chance(200) ? (unsigned)between(10, 200) : 0;
	w.delay = between(2, 400);
	w.lag = between(0, 3000);
	w.act = between(1000, 30000);
	w.calm = calm[between(0, 3)];
	w.chaos_ends = chance(30) ? 600000 : between(10000, 100000);
}

void chaos(void)
{
	struct event event = event_for(-1, EV_CHAOS);
	unsigned kind = (unsigned)between(0, CHAOS_KINDS - 1);
	bool disturbed = w.busy;

	for (int i = 0; i < (int)w.nodes; i++)
		disturbed |= !node_runs(i) || w.node[i].server < 0;
	if (w.now > w.chaos_ends && !disturbed) {
		trace("from now on all goes well");
		w.quiet = true;
		event = event_for(-1, EV_NEXT);
		at(w.now + SOON_MS + 5000, &event);
		return;
	}
	if (chance(200))
		memcpy(w.old, w.server[primary()].entry, sizeof(w.old));
	if (w.now <= w.chaos_ends && w.chaos >> kind & 1)
		disturb((enum chaos)kind);
	at(w.now + between(100, w.now > w.chaos_ends ? 500 : w.calm), &event);
}

void chaos_heal(const struct event *event)
{
	int server = primary();

	w.busy = false;
	switch (event->op) {
	case HEAL_PROMOTE:
		promote(w.server[0].up ? 0 : 1);
		heal_later(HEAL_FOLLOW, 1000, 15000);
		break;
	case HEAL_FOLLOW:
		follow(!server);
		break;
	case HEAL_RESTART:
		w.server[server].up = true;
		w.server[server].run = ++w.runs;
		follow(!server);
		break;
	case HEAL_DIVIDED:
		promote(!server);
		heal_later(HEAL_UNITE, 5000, 60000);
		break;
	case HEAL_UNITE:
		unite();
		break;
	case HEAL_SLOW:
		w.slow = 0;
		break;
	default:
		w.loss = w.base_loss;
	}
}
