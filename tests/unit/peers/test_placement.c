/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Tests of the placement of sessions, in a simulated machine: sessions want so
 * much of a CPU, a worker that is asked for more than one CPU is busy and late,
 * and an order moves what placement_picks() picks.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "peers/placement.h"

#define SESSIONS_MOST 256
#define WORKERS_SIM   8
#define SECOND        (1000 / PLACEMENT_TICK_MS)

struct one {
	unsigned wants; /* thousandths of a CPU */
	unsigned worker;
	enum placement_kind kind;
};

static struct {
	struct placement placement;
	struct one one[SESSIONS_MOST];
	unsigned count, workers;
	unsigned spare;
	unsigned noise; /* wants vary by so many per cent */
	unsigned random;
	int64_t now_ms;
	unsigned moves; /* since forget() */
	struct placement_load loads[WORKERS_SIM];
} sim;

static void begin(unsigned workers)
{
	memset(&sim, 0, sizeof(sim));
	sim.workers = workers;
	sim.spare = 1000;
	sim.random = 1;
	sim.now_ms = 1000000;
}

static void add(unsigned count, unsigned wants, enum placement_kind kind,
	unsigned worker)
{
	while (count-- > 0)
		sim.one[sim.count++] = (struct one){wants, worker, kind};
}

static unsigned below(unsigned n)
{
	sim.random = sim.random * 1103515245U + 12345U;
	return (sim.random >> 16) % n;
}

static unsigned wanted(const struct one *one)
{
	unsigned spread = one->wants * sim.noise / 100;

	return spread ? one->wants - spread + below(2 * spread + 1)
		      : one->wants;
}

static void measure(unsigned load[SESSIONS_MOST])
{
	unsigned sum[WORKERS_SIM] = {0}, bulk[WORKERS_SIM] = {0};

	memset(sim.loads, 0, sizeof(sim.loads));
	for (unsigned i = 0; i < sim.count; i++) {
		load[i] = wanted(&sim.one[i]);
		sum[sim.one[i].worker] += load[i];
		bulk[sim.one[i].worker] += sim.one[i].kind == PLACEMENT_BULK;
	}
	for (unsigned i = 0; i < sim.count; i++) {
		const struct one *one = &sim.one[i];
		struct placement_load *to = &sim.loads[one->worker];

		if (sum[one->worker] > 1000)
			load[i] = load[i] * 1000 / sum[one->worker];
		to->taken[one->kind] += load[i];
		to->count[one->kind] += load[i] > 0;
	}
	for (unsigned w = 0; w < sim.workers; w++) {
		sim.loads[w].busy = sum[w] < 1000 ? sum[w] : 1000;
		if (sum[w] > 1000)
			sim.loads[w].late_us = 250 * bulk[w];
	}
}

static void tick(void)
{
	struct placement_order order;
	struct placement_pick pick = {.left = 0};
	unsigned load[SESSIONS_MOST];

	sim.now_ms += PLACEMENT_TICK_MS;
	measure(load);
	if (!placement_decide(&sim.placement, sim.loads, sim.workers, sim.spare,
		    sim.now_ms, &order))
		return;
	assert_true(order.from < sim.workers && order.to < sim.workers);
	assert_int_not_equal(order.from, order.to);
	for (unsigned i = 0; i < sim.count; i++)
		if (sim.one[i].worker == order.from &&
			sim.one[i].kind == order.kind &&
			placement_picks(&pick, &order, load[i])) {
			sim.one[i].worker = order.to;
			sim.moves++;
		}
}

static void run(unsigned seconds)
{
	for (unsigned i = 0; i < seconds * SECOND; i++)
		tick();
}

static unsigned wants_of(unsigned worker)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < sim.count; i++)
		if (sim.one[i].worker == worker)
			sum += sim.one[i].wants;
	return sum;
}

static unsigned used(void)
{
	unsigned count = 0;

	for (unsigned w = 0; w < sim.workers; w++)
		count += wants_of(w) > 0;
	return count;
}

static unsigned most(void)
{
	unsigned found = 0;

	for (unsigned w = 0; w < sim.workers; w++)
		if (wants_of(w) > found)
			found = wants_of(w);
	return found;
}

static const unsigned counts[] = {2, 4, 8};
#define EACH(i) for (unsigned i = 0; i < 3; i++)

/* At a steady load, with noise, next to nothing moves. */
static void rests(unsigned seconds)
{
	sim.noise = 10;
	sim.moves = 0;
	run(seconds);
	assert_true(sim.moves < seconds / 10 + 1);
}

static void little_load_is_gathered_on_one_worker(void **state)
{
	(void)state;
	EACH(n)
	{
		begin(counts[n]);
		for (unsigned i = 0; i < 40; i++)
			add(1, 10, PLACEMENT_SMALL, i % counts[n]);
		run(60);
		assert_int_equal(used(), 1);
		rests(600);
		assert_int_equal(used(), 1);
	}
}

static void who_has_no_headroom_gives_away(void **state)
{
	(void)state;
	EACH(n)
	{
		begin(counts[n]);
		add(counts[n], 900, PLACEMENT_BULK, 0);
		run(60);
		for (unsigned w = 0; w < counts[n]; w++)
			assert_int_equal(wants_of(w), 900);
		rests(600);
		for (unsigned w = 0; w < counts[n]; w++)
			assert_int_equal(wants_of(w), 900);
	}
}

/* Many of them, and more than all workers can do: the shares differ little. */
static void a_full_machine_is_shared(void **state)
{
	(void)state;
	EACH(n)
	{
		begin(counts[n]);
		add(16 * counts[n], 80, PLACEMENT_BULK, 0);
		run(60);
		for (unsigned w = 0; w < counts[n]; w++)
			assert_true(wants_of(w) >= 800);
		rests(600);
	}
}

static void as_many_workers_as_carry_it(void **state)
{
	(void)state;
	begin(8);
	for (unsigned i = 0; i < 24; i++)
		add(1, 50, PLACEMENT_SMALL, i % 8);
	run(120);
	assert_true(used() >= 2 && used() <= 4);
	assert_true(most() <= 850);
	rests(600);
	assert_true(most() <= 850);
}

static void small_messages_leave_bulk(void **state)
{
	(void)state;
	EACH(n)
	{
		begin(counts[n]);
		add(1, 400, PLACEMENT_BULK, 0);
		add(10, 10, PLACEMENT_SMALL, 0);
		run(30);
		for (unsigned i = 1; i < sim.count; i++)
			assert_int_not_equal(sim.one[i].worker, 0);
		assert_int_equal(used(), 2);
		rests(600);
		assert_int_equal(used(), 2);
	}
}

/* It stays: nobody could take it, or it would only change places. */
static void one_session_alone_stays(void **state)
{
	(void)state;
	begin(4);
	add(1, 1000, PLACEMENT_BULK, 2);
	run(300);
	assert_int_equal(sim.moves, 0);
}

static void a_worker_at_its_limit_takes_none(void **state)
{
	(void)state;
	begin(2);
	add(2, 450, PLACEMENT_SMALL, 0);
	add(1, 100, PLACEMENT_SMALL, 1);
	for (int i = 0; i < 60 * SECOND; i++) {
		bool was_full = wants_of(0) >= 850;
		unsigned before = wants_of(0);

		tick();
		if (was_full)
			assert_true(wants_of(0) <= before);
	}
	assert_true(most() <= 850);
	rests(600);
}

/* Without a CPU for another worker, more workers only cost more. */
static void nothing_is_spread_where_no_cpu_is_free(void **state)
{
	(void)state;
	begin(2);
	sim.spare = 0;
	add(10, 95, PLACEMENT_SMALL, 0);
	run(60);
	assert_int_equal(wants_of(0), 950);
	/* But who makes others wait gets a second share of the CPUs. */
	begin(2);
	sim.spare = 0;
	add(16, 80, PLACEMENT_BULK, 0);
	run(60);
	assert_int_equal(used(), 2);
}

/* A load that changes all the time: each time that it was gathered in vain, it
 * stays spread for longer. */
static void what_comes_and_goes_is_gathered_less_and_less(void **state)
{
	unsigned first = 0;

	(void)state;
	begin(2);
	add(20, 1, PLACEMENT_SMALL, 0);
	for (int cycle = 0; cycle < 120; cycle++) {
		for (unsigned i = 0; i < sim.count; i++)
			sim.one[i].wants = cycle % 2 ? 60 : 15;
		run(5);
		if (cycle == 19)
			first = sim.moves;
		if (cycle == 99)
			sim.moves = 0;
	}
	assert_true(first > 0);
	assert_true(sim.moves <= first);
	assert_true(sim.moves < 100);
}

static void turns_and_bytes_have_a_price(void **state)
{
	(void)state;
	assert_int_equal(placement_kind(1000, 64000), PLACEMENT_SMALL);
	assert_int_equal(placement_kind(1000, 1000 * 65536), PLACEMENT_BULK);
	assert_int_equal(placement_kind(0, 0), PLACEMENT_BULK);
	assert_true(placement_cost(1000, 64000) > placement_cost(10, 655360));
	assert_true(placement_cost(10, 10 << 20) > placement_cost(100, 6400));
}

static void the_first_that_fits_goes_anyhow(void **state)
{
	const struct placement_order order = {
		.from = 0, .to = 1, .amount = 100, .most = 300};
	struct placement_pick pick = {.left = 0};

	(void)state;
	assert_false(placement_picks(&pick, &order, 0));
	assert_false(placement_picks(&pick, &order, 301));
	assert_true(placement_picks(&pick, &order, 90));
	assert_false(placement_picks(&pick, &order, 20));
	assert_true(placement_picks(&pick, &order, 10));
	assert_false(placement_picks(&pick, &order, 1));
	pick = (struct placement_pick){.left = 0};
	assert_true(placement_picks(&pick, &order, 300));
	assert_false(placement_picks(&pick, &order, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(little_load_is_gathered_on_one_worker),
		cmocka_unit_test(who_has_no_headroom_gives_away),
		cmocka_unit_test(a_full_machine_is_shared),
		cmocka_unit_test(as_many_workers_as_carry_it),
		cmocka_unit_test(small_messages_leave_bulk),
		cmocka_unit_test(one_session_alone_stays),
		cmocka_unit_test(a_worker_at_its_limit_takes_none),
		cmocka_unit_test(nothing_is_spread_where_no_cpu_is_free),
		cmocka_unit_test(what_comes_and_goes_is_gathered_less_and_less),
		cmocka_unit_test(turns_and_bytes_have_a_price),
		cmocka_unit_test(the_first_that_fits_goes_anyhow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
