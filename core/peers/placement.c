/* SPDX-License-Identifier: MPL-2.0 */

/* Which sessions move to which worker. */

#include "peers/placement.h"

/* Above that a worker has no headroom; up to that it is filled. */
#define HIGH 850
#define FULL 600
/* One that lets others wait for so long has none either, if it is the load of
 * its sessions that does. */
#define LATE_US   2000
#define LATE_BUSY 300
/* Another worker helps only if it finds so much of a CPU, or if each thread has
 * its share of the CPUs, as while others wait. */
#define SPARE_LEAST 200
/* It must be so much less busy. */
#define DIFFERENCE 200
/* Up to that a worker takes the sessions of another one. */
#define GATHERED 500
/* More than that of a kind is noticed by sessions of the other. */
#define NOTICED_SMALL 10
#define NOTICED_BULK  100

#define TICKS_ABOVE    2
#define TICKS_MIXED    5
#define TICKS_SPARSE   20
#define TICKS_SETTLING 3

/* If what was gathered is spread again within that time, it waits; each time
 * twice as long. */
#define PROVEN_MS        10000
#define PATIENCE_FIRST   10000
#define PATIENCE_MOST_MS 600000

/* So many bytes cost as much as the system calls of a turn. */
#define BYTES_OF_A_TURN 32768
/* A session whose turns have fewer has small messages. */
#define BYTES_OF_SMALL 8192

static unsigned taken_of(const struct placement_load *load)
{
	return load->taken[PLACEMENT_SMALL] + load->taken[PLACEMENT_BULK];
}

static unsigned count_of(const struct placement_load *load)
{
	return load->count[PLACEMENT_SMALL] + load->count[PLACEMENT_BULK];
}

static bool is_mixed(const struct placement_load *load)
{
	return load->taken[PLACEMENT_SMALL] >= NOTICED_SMALL &&
	       load->taken[PLACEMENT_BULK] >= NOTICED_BULK;
}

static bool is_above(const struct placement_load *load, unsigned spare)
{
	return (load->busy >= HIGH && spare >= SPARE_LEAST) ||
	       (load->late_us >= LATE_US && load->busy >= LATE_BUSY);
}

/* Whether a worker may get sessions of that kind: those of the other kind that
 * it has would not bear it. */
static bool suits(const struct placement_load *load, enum placement_kind kind)
{
	return kind == PLACEMENT_SMALL
		       ? load->taken[PLACEMENT_BULK] < NOTICED_BULK
		       : load->taken[PLACEMENT_SMALL] < NOTICED_SMALL;
}

/* The least busy worker, or of those that suit the kind; `workers`: none. */
static unsigned least_busy(const struct placement_load *loads, unsigned workers,
	unsigned but, enum placement_kind kind, bool suiting)
{
	unsigned found = workers;

	for (unsigned i = 0; i < workers; i++)
		if (i != but && (!suiting || suits(&loads[i], kind)) &&
			(found == workers || loads[i].busy < loads[found].busy))
			found = i;
	return found;
}

static unsigned half_the_way(
	const struct placement_load *from, const struct placement_load *to)
{
	return (from->busy - to->busy) / 2;
}

/* The smaller part of two kinds leaves: then either is alone. */
static enum placement_kind who_leaves(const struct placement_load *load)
{
	if (!load->count[PLACEMENT_SMALL])
		return PLACEMENT_BULK;
	if (!load->count[PLACEMENT_BULK])
		return PLACEMENT_SMALL;
	return load->taken[PLACEMENT_SMALL] <= load->taken[PLACEMENT_BULK]
		       ? PLACEMENT_SMALL
		       : PLACEMENT_BULK;
}

/* From the busiest worker that is above to the least busy one. */
static bool spread(const struct placement *placement,
	const struct placement_load *loads, unsigned workers,
	struct placement_order *order)
{
	unsigned from = workers, to;

	for (unsigned i = 0; i < workers; i++)
		if (placement->above[i] >= TICKS_ABOVE &&
			count_of(&loads[i]) > 1 &&
			(from == workers || loads[i].busy > loads[from].busy))
			from = i;
	if (from == workers)
		return false;
	order->kind = who_leaves(&loads[from]);
	to = least_busy(loads, workers, from, order->kind, true);
	if (to == workers || loads[to].busy + DIFFERENCE > loads[from].busy)
		to = least_busy(loads, workers, from, order->kind, false);
	if (to == workers || loads[to].busy + DIFFERENCE > loads[from].busy)
		return false;
	order->from = from;
	order->to = to;
	order->amount = half_the_way(&loads[from], &loads[to]);
	/* Else the two would only change places. */
	order->most = loads[from].busy - loads[to].busy - DIFFERENCE / 2;
	return true;
}

/* Small messages leave a worker with bulk. */
static bool separate(const struct placement *placement,
	const struct placement_load *loads, unsigned workers,
	struct placement_order *order)
{
	for (unsigned i = 0; i < workers; i++) {
		unsigned to;

		if (placement->mixed[i] < TICKS_MIXED)
			continue;
		to = least_busy(loads, workers, i, PLACEMENT_SMALL, true);
		if (to == workers ||
			loads[to].busy + loads[i].taken[PLACEMENT_SMALL] > FULL)
			continue;
		*order = (struct placement_order){.from = i,
			.to = to,
			.kind = PLACEMENT_SMALL,
			.amount = loads[i].taken[PLACEMENT_SMALL],
			.most = loads[i].taken[PLACEMENT_SMALL]};
		return true;
	}
	return false;
}

/* All that the least loaded worker has goes to the fullest one that can take
 * it. */
static bool can_gather(const struct placement_load *loads, unsigned workers,
	struct placement_order *order)
{
	unsigned from = workers, to = workers, all;

	for (unsigned i = 0; i < workers; i++)
		if (taken_of(&loads[i]) > 0 &&
			(from == workers ||
				taken_of(&loads[i]) < taken_of(&loads[from])))
			from = i;
	if (from == workers)
		return false;
	all = taken_of(&loads[from]);
	order->kind = loads[from].taken[PLACEMENT_BULK] >
				      loads[from].taken[PLACEMENT_SMALL]
			      ? PLACEMENT_BULK
			      : PLACEMENT_SMALL;
	for (unsigned i = 0; i < workers; i++)
		if (i != from && taken_of(&loads[i]) > 0 &&
			suits(&loads[i], order->kind) &&
			loads[i].busy + all <= GATHERED &&
			(to == workers || loads[i].busy > loads[to].busy))
			to = i;
	if (to == workers)
		return false;
	order->from = from;
	order->to = to;
	order->amount = order->most = loads[from].taken[order->kind];
	return true;
}

/* What was gathered did not fit after all. */
static void learn(struct placement *placement, int64_t now_ms)
{
	if (placement->gathered_ms &&
		now_ms - placement->gathered_ms < PROVEN_MS) {
		placement->patience_ms *= 2;
		if (placement->patience_ms < PATIENCE_FIRST)
			placement->patience_ms = PATIENCE_FIRST;
		if (placement->patience_ms > PATIENCE_MOST_MS)
			placement->patience_ms = PATIENCE_MOST_MS;
	}
	placement->not_until_ms = now_ms + PROVEN_MS + placement->patience_ms;
	placement->sparse = 0;
}

static void note(struct placement *placement,
	const struct placement_load *loads, unsigned workers, unsigned spare)
{
	for (unsigned i = 0; i < workers; i++) {
		placement->above[i] = is_above(&loads[i], spare)
					      ? placement->above[i] + 1
					      : 0;
		placement->mixed[i] =
			is_mixed(&loads[i]) ? placement->mixed[i] + 1 : 0;
	}
}

bool placement_decide(struct placement *placement,
	const struct placement_load *loads, unsigned workers, unsigned spare,
	int64_t now_ms, struct placement_order *order)
{
	bool found;

	note(placement, loads, workers, spare);
	if (placement->settling) {
		placement->settling--;
		return false;
	}
	found = spread(placement, loads, workers, order);
	if (found)
		learn(placement, now_ms);
	found = found || separate(placement, loads, workers, order);
	if (!found && now_ms >= placement->not_until_ms &&
		can_gather(loads, workers, order)) {
		found = ++placement->sparse >= TICKS_SPARSE;
		if (found)
			placement->gathered_ms = now_ms;
	} else {
		placement->sparse = 0;
	}
	if (found)
		placement->settling = TICKS_SETTLING;
	return found;
}

uint64_t placement_cost(uint64_t turns, uint64_t bytes)
{
	return turns * BYTES_OF_A_TURN + bytes;
}

enum placement_kind placement_kind(uint64_t turns, uint64_t bytes)
{
	return bytes < turns * BYTES_OF_SMALL ? PLACEMENT_SMALL
					      : PLACEMENT_BULK;
}

bool placement_picks(struct placement_pick *pick,
	const struct placement_order *order, unsigned load)
{
	/* The first one may be more than is wanted. */
	if (!load || pick->picked == PLACEMENT_PICK_MOST ||
		load > order->most || (pick->picked && load > pick->left))
		return false;
	if (pick->picked++ == 0)
		pick->left = order->amount;
	pick->left -= load < pick->left ? load : pick->left;
	return true;
}
