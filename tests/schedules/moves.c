/* SPDX-License-Identifier: MPL-2.0 */

/* Sessions that move to another worker, at random. */

#include <stddef.h>

#include <strelaysrv/session.h>

#include "modules/module.h"
#include "peers/peers_state.h"
#include "workers/workers.h"

#include "moves.h"
#include "scheduler.h"
#include "sim.h"

/* One of so many turns of a worker with sessions begins with a move. */
#define CHANCES 4

uint64_t moves_asked;

static const struct object_table *table_of(unsigned worker, bool sessions)
{
	const struct peers *peers = peers_of(workers_get(worker));

	return sessions ? &peers->sessions : &peers->conns;
}

struct draw {
	struct relay_session *session;
	unsigned seen;
};

/* Each one has the same chance. */
static void draw(void *object, void *arg)
{
	struct draw *draw = arg;

	if (scheduler_below(++draw->seen) == 0)
		draw->session = object;
}

/* How many of the ids of this table are of objects that are elsewhere. */
static unsigned away_from(unsigned home, bool sessions)
{
	const struct object_table *table = table_of(home, sessions);
	unsigned away = 0;

	for (uint32_t i = 0; i < table->size; i++) {
		uint64_t id = (uint64_t)table->slots[i].generation << 32 |
			      home << 24 | i * 2 | table->kind;

		away += object_table_next(table, id) >= 0;
	}
	return away;
}

static void check_guests(unsigned worker, bool sessions, unsigned *guests)
{
	const struct object_guests *here = &table_of(worker, sessions)->guests;

	for (uint32_t i = 0; i < here->size; i++) {
		uint64_t id = here->places[i].id;
		uint32_t home = object_table_home(id);

		if (!id)
			continue;
		guests[home]++;
		if (object_table_next(table_of(home, sessions), id) !=
			(int)worker)
			sim_die("an id does not lead to who has it");
	}
}

void moves_check_rest(void)
{
	for (int sessions = 0; sessions < 2; sessions++) {
		unsigned guests[WORKERS_MAX] = {0};

		for (unsigned i = 0; i < workers_count(); i++)
			check_guests(i, sessions, guests);
		for (unsigned i = 0; i < workers_count(); i++)
			if (guests[i] != away_from(i, sessions))
				sim_die("the id of one that has ended is kept");
	}
}

void moves_turn(unsigned worker)
{
	struct peers *peers = peers_of(workers_get(worker));
	struct draw one = {.session = NULL};

	if (peers->sessions.count == 0 || scheduler_below(CHANCES))
		return;
	object_table_each(&peers->sessions, draw, &one);
	moves_asked++;
	relay_session_move(one.session, (int)scheduler_below(workers_count()));
}
