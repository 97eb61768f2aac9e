/* SPDX-License-Identifier: MPL-2.0 */

/* Plays one schedule. */

#include <stdlib.h>
#include <string.h>

#include "cluster.h"
#include "shared/id_hash.h"

struct world w;
struct totals totals;

static int64_t allocated;

void *__real_calloc(size_t count, size_t size);
void *__real_malloc(size_t size);
void __real_free(void *memory);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void __wrap_free(void *memory);

/* A start is spared: without its memory there is no node. */
static bool is_short(void)
{
	return w.shortage && !w.starts && !w.quiet && chance(w.shortage);
}

void *__wrap_calloc(size_t count, size_t size)
{
	if (is_short())
		return NULL;
	allocated++;
	return __real_calloc(count, size);
}

void *__wrap_malloc(size_t size)
{
	if (is_short())
		return NULL;
	allocated++;
	return __real_malloc(size);
}

void __wrap_free(void *memory)
{
	if (memory)
		allocated--;
	__real_free(memory);
}

int id_hash_init(void)
{
	return 0;
}

/* Not of a random seed, but the same in each run. */
uint32_t id_hash(const void *id)
{
	return (*(const uint8_t *)id + 1U) * 2654435761U;
}

static void next_part(void)
{
	struct event event = event_for(-1, EV_NEXT);

	/* What is not well for too long is found by check(). */
	if (w.part < 2 && ((w.part == 0 && chance(60)) || !all_fine())) {
		w.part = 1;
		at(w.now + LATE_MS, &event);
		return;
	}
	if (w.part < 2) {
		w.part = 2;
		devices_leave();
		at(w.now + 10000, &event);
		return;
	}
	if (w.part == 2) {
		w.part = 3;
		check_left(false);
		for (int i = 0; i < DEVICES; i++)
			for (int k = 0; k < (int)w.nodes; k++)
				claims_missed(w.node[k].claims, id_of(i));
		at(w.now + PROBE_MS + 2000, &event);
		return;
	}
	check_end();
	w.over = true;
}

static void for_node(const struct event *event)
{
	struct node *n = &w.node[event->node];

	switch ((enum what)event->what) {
	case EV_TICK:
		node_tick(event->node);
		break;
	case EV_REFRESH:
		if (n->link == event->link && n->server >= 0)
			refresh(event->node);
		break;
	case EV_LEASE_SEEN:
		if (n->server >= 0)
			n->seen_ends[event->b] = w.now + LEASE_MS;
		break;
	case EV_ANSWER:
		registry_answer(event);
		break;
	case EV_MESSAGE:
		message_arrives(event);
		break;
	case EV_PROBED:
		probe_ends(event);
		break;
	case EV_BREAK:
		if (n->link == event->link && n->server >= 0)
			link_break(event->node);
		break;
	case EV_CONNECT:
		if (n->server < 0)
			link_connect(event->node);
		break;
	case EV_LEFT:
		conn_leaves(event);
		break;
	case EV_ASKS_TICK:
		asks_ticks(event->node);
		break;
	case EV_ASKS_OVER:
		asks_over(event);
		break;
	default:
		recount(event->node);
	}
}

static void for_none(const struct event *event)
{
	struct event again = *event;

	switch ((enum what)event->what) {
	case EV_EXECUTE:
		registry_execute(event);
		break;
	case EV_REPLICATE:
		registry_replicate(event);
		break;
	case EV_START:
		node_start(event->node);
		break;
	case EV_WAKE:
		w.node[event->node].hangs = false;
		w.node[event->node].woke = w.now;
		trace("node %d wakes", event->node);
		break;
	case EV_ACT:
		if (w.quiet)
			break;
		device_acts(event->device);
		if (event->a)
			at(w.now + between(100, w.act), &again);
		break;
	case EV_CHAOS:
		chaos();
		break;
	case EV_HEAL:
		chaos_heal(event);
		break;
	case EV_CHECK:
		check();
		break;
	case EV_ASK:
		ask_begins();
		break;
	default:
		next_part();
	}
}

static bool is_for_node(enum what what)
{
	switch (what) {
	case EV_EXECUTE:
	case EV_REPLICATE:
	case EV_START:
	case EV_ACT:
	case EV_CHAOS:
	case EV_HEAL:
	case EV_CHECK:
	case EV_ASK:
	case EV_NEXT:
		return false;
	default:
		return true;
	}
}

/* Behind all that waits already. */
static void wait_for(const struct node *node, struct event event)
{
	event.waited = true;
	at(node->wakes, &event);
}

static void handle(const struct event *event)
{
	const struct node *n = &w.node[event->node < 0 ? 0 : event->node];

	w.now = event->at;
	totals.events++;
	if (!is_for_node((enum what)event->what))
		for_none(event);
	else if (!n->up || n->process != event->process)
		return;
	else if (event->what == EV_WAKE)
		for_none(event);
	else if (!event->waited && w.now <= n->wakes)
		wait_for(n, *event);
	else
		for_node(event);
}

static void begin(uint64_t seed, bool traced)
{
	struct event event = event_for(-1, EV_ACT);

	memset(&w, 0, sizeof(w));
	forget_events();
	w.random = seed * UINT64_C(0x2545f4914f6cdd1d);
	w.trace = traced;
	w.nodes = (unsigned)between(2, NODES);
	chaos_begin();
	registry_begin();
	for (int i = 0; i < (int)w.nodes; i++)
		node_start(i);
	event.a = 1;
	for (int i = 0; i < DEVICES; i++) {
		event.device = i;
		w.device[i].two_alive = -SINCE_MS;
		at(between(0, w.act), &event);
	}
	event = event_for(-1, EV_CHAOS);
	at(1000, &event);
	event = event_for(-1, EV_CHECK);
	at(1000, &event);
	event = event_for(-1, EV_ASK);
	at(1000, &event);
}

void play(uint64_t seed, bool traced)
{
	struct event event;
	int64_t before = allocated;

	begin(seed, traced);
	while (!w.over && next_event(&event))
		handle(&event);
	for (int i = 0; i < (int)w.nodes; i++)
		node_die(i);
	if (allocated != before)
		wrong("memory is not freed");
}
