/* SPDX-License-Identifier: MPL-2.0 */

/* Nodes: the real claims, and what they call. */

#include <string.h>

#include "cluster.h"

const uint8_t *id_of(int device)
{
	static uint8_t ids[DEVICES][REGISTRY_ID];

	ids[device][0] = (uint8_t)device;
	return ids[device];
}

bool node_runs(int node)
{
	return w.node[node].up && !w.node[node].hangs;
}

int node_of(uint64_t incarnation)
{
	for (int i = 0; i < (int)w.nodes; i++)
		if (w.node[i].up &&
			(uint64_t)w.node[i].process + 1 == incarnation)
			return i;
	return -1;
}

static int number_of(const void *arg)
{
	return (int)((const struct node *)arg - w.node);
}

static int on_claim(void *arg, const uint8_t *id, enum claim_how how,
	uint64_t epoch, uint64_t serial)
{
	return registry_ask(
		number_of(arg), OP_CLAIM, id[0], how, epoch, serial);
}

static int on_release(void *arg, const uint8_t *id, uint64_t serial)
{
	trace("node %d: release of device %d", number_of(arg), id[0]);
	return registry_ask(number_of(arg), OP_RELEASE, id[0], 0, 0, serial);
}

static void message_lost(const struct event *event, const char *why)
{
	struct device *device = &w.device[event->device];

	trace("a message of device %d is lost: %s", event->device, why);
	if (event->op != OP_CLAIMED && event->op != OP_ALIVE)
		return;
	/* One that has died repeats nothing. */
	if (++device->lost >= 3 || node_of(event->a) < 0)
		unnoticed(event->device);
}

void message_send(int node, enum op op, uint64_t to, int device, uint64_t b)
{
	const struct node *n = &w.node[node];
	struct event event = event_for(node_of(to), EV_MESSAGE);

	event.op = (uint8_t)op;
	event.device = device;
	event.a = (uint64_t)n->process + 1;
	event.b = b;
	event.server = (uint8_t)n->server;
	event.run = n->run;
	if (event.node < 0)
		return;
	if (n->server < 0 || chance(w.loss)) {
		message_lost(&event, "on its way");
		return;
	}
	at(w.now + between(1, w.delay), &event);
	if (chance(w.doubled))
		at(w.now + between(1, 4 * w.delay), &event);
}

static void on_claimed(
	void *arg, uint64_t to, const uint8_t *id, uint64_t epoch)
{
	trace("node %d: device %d claimed/%llu to %d", number_of(arg), id[0],
		(unsigned long long)epoch, (int)to);
	message_send(number_of(arg), OP_CLAIMED, to, id[0], epoch);
}

static void on_alive(void *arg, uint64_t to, const uint8_t *id, uint64_t epoch)
{
	trace("node %d: device %d alive/%llu to %d", number_of(arg), id[0],
		(unsigned long long)epoch, (int)to);
	message_send(number_of(arg), OP_ALIVE, to, id[0], epoch);
}

/* One call fails alone, so that no later failure has it done again. */
static bool fails(void)
{
	return chance(w.shortage) || chance(w.failing);
}

static int on_probe(void *arg, const uint8_t *id, struct claim_conn conn)
{
	struct event event = event_for(number_of(arg), EV_PROBED);

	trace("node %d: probes conn %d of device %d", number_of(arg),
		(int)conn.conn, id[0]);
	if (fails()) {
		happened(id[0]);
		return -1;
	}
	event.device = id[0];
	event.a = conn.conn;
	event.b = (uint64_t)w.now + PROBE_MS;
	at(w.now + (chance(800) ? between(5, 300) : between(5, PROBE_MS)),
		&event);
	return 0;
}

static int on_end(void *arg, const uint8_t *id, struct claim_conn conn)
{
	const struct device *device = &w.device[id[0]];
	struct event event = event_for(-1, EV_ACT);
	bool open = w.conn[conn.conn].open;
	bool answers = open && w.conn[conn.conn].answers;

	if (fails()) {
		happened(id[0]);
		return -1;
	}
	if (answers && !device->forged &&
		w.now - device->two_alive > SINCE_MS &&
		w.now - ((struct node *)arg)->woke > SINCE_MS)
		wrong("node %d ends the only connection of device %d",
			number_of(arg), id[0]);
	if (open)
		conn_end((unsigned)conn.conn, "another one is kept");
	event.device = id[0];
	if (answers && !w.quiet && chance(500))
		at(w.now + between(1000, 20000), &event);
	return 0;
}

static bool on_lives(void *arg, uint64_t incarnation)
{
	const struct node *n = arg;

	return incarnation <= PROCESSES &&
	       n->seen_ends[incarnation - 1] > w.now;
}

static uint64_t on_random(void *arg)
{
	(void)arg;
	return random_next();
}

void node_start(int node)
{
	static const struct claims_calls calls = {on_claim, on_release,
		on_claimed, on_alive, on_probe, on_end, on_lives, on_random};
	struct node *n = &w.node[node];
	struct event event;

	if (w.processes == PROCESSES)
		wrong("too many processes");
	memset(n, 0, sizeof(*n));
	n->process = (int)w.processes++;
	n->up = true;
	n->server = -1;
	n->side = (int)between(0, 1);
	n->woke = n->wakes = INT64_MIN / 2;
	w.starts = true;
	n->claims = claims_new((uint64_t)n->process + 1, &calls, n);
	n->asks = asks_new(&asking_calls, n, random_next());
	w.starts = false;
	if (!n->claims || !n->asks)
		wrong("no claims");
	claims_away(n->claims, w.now);
	trace("node %d starts as %d", node, n->process + 1);
	event = event_for(node, EV_CONNECT);
	at(w.now, &event);
	event = event_for(node, EV_TICK);
	at(w.now, &event);
}

void node_die(int node)
{
	struct node *n = &w.node[node];
	struct claims_count count;

	trace("node %d dies", node);
	n->up = false;
	for (int i = 0; i < DEVICES; i++) {
		/* What it had to settle with others it repeats no more. */
		if (w.device[i].lost || (conn_at(i, node) && owners(i) > 0))
			unnoticed(i);
		if (conn_at(i, node))
			conn_end(conn_at(i, node), "its node is gone");
	}
	claims_counts(n->claims, &count);
	totals.claims += count.claims;
	totals.healed += count.healed;
	totals.replaced += count.replaced;
	totals.defended += count.defended;
	claims_free(n->claims);
	asks_free(n->asks);
	n->claims = NULL;
}

void node_tick(int node)
{
	struct event event = event_for(node, EV_TICK);
	int64_t next = claims_tick(w.node[node].claims, w.now);

	if (next < 1)
		wrong("a tick that is never over");
	at(w.now + next, &event);
}

void message_arrives(const struct event *event)
{
	struct node *n = &w.node[event->node];

	if (n->server != event->server || n->run != event->run) {
		message_lost(event, "the receiver is not there");
		return;
	}
	if (!on_lives(n, event->a)) {
		message_lost(event, "the sender is not known");
		return;
	}
	switch ((enum op)event->op) {
	case OP_ALIVE:
		claims_told_alive(n->claims, event->a, id_of(event->device),
			event->b, w.now);
		break;
	case OP_CLAIMED:
		claims_told_claimed(n->claims, event->a, id_of(event->device),
			event->b, w.now);
		break;
	case OP_ASK:
		ask_arrives(event);
		break;
	default:
		answer_arrives(event);
	}
}

void probe_ends(const struct event *event)
{
	const struct conn *conn = &w.conn[event->a];
	struct event later = *event;
	struct claim_conn at_conn = {(int)(event->a % 3), event->a};
	bool lives = conn->open && conn->answers;

	if (conn->open && !lives && w.now < (int64_t)event->b) {
		later.waited = false;
		at((int64_t)event->b, &later);
		return;
	}
	if (chance(w.shortage)) {
		happened(event->device);
		recount_later(event->node);
		return;
	}
	trace("node %d: conn %d %s", event->node, (int)event->a,
		lives ? "lives" : "does not answer");
	claims_probed(w.node[event->node].claims, id_of(event->device), at_conn,
		lives, w.now);
}
