/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of shared rates in simulated time, with sessions of different demand.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "shaper.h"

#define SESSIONS_MOST 64
#define WORKERS       2
#define BURST_MS      100

/* A session that wants to send `wants` bytes a second in each direction. */
struct one {
	struct shaper shaper;
	int worker;
	int64_t wants[2]; /* below 0: unlimited */
	int64_t backlog[2];
	int64_t resume_ms[2];
	int64_t sent[2];
};

static struct {
	struct share_pool pool;
	struct shaper_round round[WORKERS];
	struct one one[SESSIONS_MOST];
	int count;
	int64_t now_ms;
	int64_t late_ms[WORKERS]; /* how much a worker's clock is late */
	int64_t most_in_100ms;
} sim;

static void begin(int64_t rate)
{
	memset(&sim, 0, sizeof(sim));
	sim.now_ms = 1000003;
	share_pool_init(&sim.pool, rate, BURST_MS, sim.now_ms);
}

static struct one *add(int worker, int64_t wants)
{
	struct one *one = &sim.one[sim.count++];

	one->worker = worker;
	one->wants[0] = wants;
	one->shaper.weight = 1;
	if (atomic_load(&sim.pool.rate))
		one->shaper.part[PART_GLOBAL].pool = &sim.pool;
	shaper_begin(&one->shaper, sim.now_ms);
	return one;
}

/* What the pump does for one direction in a millisecond. */
static int64_t pump(struct one *one, int from, int64_t now)
{
	struct shaper_round *round = &sim.round[one->worker];
	int64_t sent = 0, wait = 1;
	enum shaper_limit limit;

	if (one->wants[from] > 0)
		one->backlog[from] += one->wants[from] / 1000;
	if (now < one->resume_ms[from])
		return 0;
	while (one->wants[from] < 0 || one->backlog[from] > 0) {
		size_t grant = shaper_grant(
			&one->shaper, round, from, 65536, now, &wait, &limit);

		if (grant == 0) {
			assert_true(wait >= 1 && wait <= SHARE_PIECE_MS);
			one->resume_ms[from] = now + wait;
			break;
		}
		assert_true(grant <= 65536);
		if (one->wants[from] >= 0 &&
			(int64_t)grant > one->backlog[from])
			grant = (size_t)one->backlog[from];
		shaper_sent(&one->shaper, from, grant);
		one->backlog[from] -= one->wants[from] < 0 ? 0 : (int64_t)grant;
		one->sent[from] += (int64_t)grant;
		sent += (int64_t)grant;
		if (sent > 1 << 20)
			break;
	}
	return sent;
}

static void run(int64_t ms)
{
	int64_t window = 0;

	for (int64_t t = 0; t < ms; t++) {
		sim.now_ms++;
		for (int i = 0; i < sim.count; i++) {
			struct one *one = &sim.one[i];
			int64_t now = sim.now_ms - sim.late_ms[one->worker];

			window += pump(one, 0, now) + pump(one, 1, now);
		}
		for (int w = 0; w < WORKERS; w++)
			shaper_round_turn(
				&sim.round[w], sim.now_ms - sim.late_ms[w]);
		if (t % 100 == 99) {
			if (window > sim.most_in_100ms)
				sim.most_in_100ms = window;
			window = 0;
		}
	}
}

static void forget(void)
{
	for (int i = 0; i < sim.count; i++)
		memset(sim.one[i].sent, 0, sizeof(sim.one[i].sent));
	sim.most_in_100ms = 0;
}

static int64_t sum(void)
{
	int64_t all = 0;

	for (int i = 0; i < sim.count; i++)
		all += sim.one[i].sent[0] + sim.one[i].sent[1];
	return all;
}

static void near(int64_t got, int64_t want, int64_t thousandths)
{
	int64_t off = want * thousandths / 1000;

	if (got < want - off || got > want + off)
		fail_msg("%lld, want %lld +- %lld", (long long)got,
			(long long)want, (long long)off);
}

/* Ten seconds from idle: what an operator would measure. */
static void is_accurate(void **state)
{
	static const int64_t rates[] = {
		2000, 50000, 1000000, 12500000, 300000000};
	static const int counts[] = {1, 2, 7, 50};

	(void)state;
	for (size_t r = 0; r < sizeof(rates) / sizeof(rates[0]); r++)
		for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]);
			c++) {
			begin(rates[r]);
			for (int i = 0; i < counts[c]; i++)
				add(i % WORKERS, -1);
			run(10000);
			near(sum(), rates[r] * 10, 20);
		}
}

static void is_smooth(void **state)
{
	(void)state;
	begin(1000000);
	for (int i = 0; i < 10; i++)
		add(i % WORKERS, -1);
	run(1000);
	forget();
	run(5000);
	/* Pieces are sent every 40 ms, so a window may contain one more. */
	assert_true(sim.most_in_100ms < 145000);
}

static void shares_evenly(void **state)
{
	(void)state;
	begin(4000000);
	for (int i = 0; i < 8; i++)
		add(i < 5, -1); /* 3 and 5 */
	run(1000);              /* the first sessions used the burst */
	forget();
	run(10000);
	for (int i = 0; i < 8; i++)
		near(sim.one[i].sent[0], 5000000, 20);
}

/* To the next worker, whose clock differs. */
static void move(struct one *one)
{
	shaper_depart(&one->shaper, &sim.round[one->worker]);
	one->worker = (one->worker + 1) % WORKERS;
	shaper_arrive(&one->shaper, &sim.round[one->worker]);
}

static void who_moves_gets_neither_more_nor_less(void **state)
{
	int64_t weight;

	(void)state;
	begin(4000000);
	sim.late_ms[1] = 2;
	for (int i = 0; i < 8; i++)
		add(i % WORKERS, -1);
	run(1000);
	forget();
	weight = atomic_load(&sim.pool.weight);
	for (int t = 0; t < 10000; t += 5) {
		for (int i = 0; i < 4; i++) /* the others stay */
			move(&sim.one[i]);
		assert_int_equal(atomic_load(&sim.pool.weight), weight);
		run(5);
	}
	near(sum(), 40000000, 20);
	for (int i = 0; i < 8; i++)
		near(sim.one[i].sent[0], 5000000, 20);
}

static void unused_shares_go_to_the_others(void **state)
{
	(void)state;
	begin(10000000);
	add(0, 100000);
	add(1, 1000000);
	add(0, 1000);
	add(0, -1);
	add(1, -1);
	add(1, -1);
	run(1000);
	forget();
	run(10000);
	near(sim.one[0].sent[0], 1000000, 20);
	near(sim.one[1].sent[0], 10000000, 20);
	near(sim.one[2].sent[0], 10000, 20);
	for (int i = 3; i < 6; i++)
		near(sim.one[i].sent[0], 29630000, 20);
	near(sum(), 100000000, 20);
}

static void a_weight_is_so_many_shares(void **state)
{
	(void)state;
	begin(4000000);
	add(0, -1)->shaper.weight = 3;
	add(1, -1);
	run(10000);
	near(sim.one[0].sent[0], 30000000, 20);
	near(sim.one[1].sent[0], 10000000, 20);
}

static void both_directions_have_their_half(void **state)
{
	static const int64_t rates[] = {10000, 1000000, 50000000};

	(void)state;
	for (size_t r = 0; r < sizeof(rates) / sizeof(rates[0]); r++) {
		begin(rates[r]);
		add(0, -1)->wants[1] = -1;
		add(1, -1);
		run(10000);
		near(sum(), rates[r] * 10, 20);
		near(sim.one[0].sent[0], rates[r] * 5 / 2, 60);
		near(sim.one[0].sent[1], rates[r] * 5 / 2, 60);
	}
}

static void a_session_has_a_limit_of_its_own(void **state)
{
	static const int64_t rates[] = {1000, 1000000, 100000000};

	(void)state;
	for (size_t r = 0; r < sizeof(rates) / sizeof(rates[0]); r++) {
		begin(0);
		shaper_rate(&add(0, -1)->shaper, rates[r], BURST_MS);
		add(0, -1)->wants[1] = -1;
		shaper_rate(&sim.one[1].shaper, rates[r], BURST_MS);
		run(10000);
		near(sim.one[0].sent[0], rates[r] * 10, 20);
		near(sim.one[1].sent[0], rates[r] * 5, 60);
		near(sim.one[1].sent[1], rates[r] * 5, 60);
	}
}

/* One session is limited to 0.5 of 3 MB/s; the others get the rest. */
static void limits_meet(void **state)
{
	(void)state;
	begin(3000000);
	shaper_rate(&add(0, -1)->shaper, 500000, BURST_MS);
	add(0, -1);
	add(1, -1);
	run(10000);
	near(sim.one[0].sent[0], 5000000, 20);
	near(sim.one[1].sent[0], 12500000, 20);
	near(sum(), 30000000, 20);
}

static void a_device_shares_among_its_sessions(void **state)
{
	struct share_pool device;

	(void)state;
	begin(10000000);
	share_pool_init(&device, 1000000, BURST_MS, sim.now_ms);
	for (int i = 0; i < 4; i++)
		add(i % WORKERS, -1)->shaper.part[PART_DEVICE].pool = &device;
	add(0, -1);
	run(1000);
	forget();
	run(10000);
	for (int i = 0; i < 4; i++)
		near(sim.one[i].sent[0], 2500000, 20);
	near(sim.one[4].sent[0], 90000000, 20);
}

static struct share_pool device[3];

static struct one *add_of(int which, int64_t wants)
{
	struct one *one = add(sim.count % WORKERS, wants);

	one->shaper.part[PART_GLOBAL].pool = &device[which];
	return one;
}

static void begin_with_devices(int64_t rate)
{
	begin(rate);
	for (int i = 0; i < 3; i++)
		share_child_init(&device[i], &sim.pool, 1, sim.now_ms);
}

static int64_t sent_by(int first, int count)
{
	int64_t all = 0;

	for (int i = first; i < first + count; i++)
		all += sim.one[i].sent[0] + sim.one[i].sent[1];
	return all;
}

/* A device gets the share of one, however many sessions it has. */
static void devices_share_before_sessions_do(void **state)
{
	static const int64_t rates[] = {200000, 10000000, 300000000};

	(void)state;
	for (size_t r = 0; r < sizeof(rates) / sizeof(rates[0]); r++) {
		begin_with_devices(rates[r]);
		for (int i = 0; i < 40; i++)
			add_of(0, -1);
		add_of(1, -1);
		add(0, -1); /* of no device */
		run(1000);
		forget();
		run(10000);
		near(sum(), rates[r] * 10, 20);
		near(sent_by(0, 40), rates[r] * 10 / 3, 30);
		near(sent_by(40, 1), rates[r] * 10 / 3, 30);
		near(sent_by(41, 1), rates[r] * 10 / 3, 30);
		for (int i = 0; i < 40; i++)
			near(sim.one[i].sent[0], rates[r] / 12, 100);
	}
}

/* However many device IDs it uses: 40 devices with one session each. */
static void sources_share_before_devices_do(void **state)
{
	static const int64_t rates[] = {200000, 10000000, 300000000};
	static struct share_pool source[2], of[42];

	(void)state;
	for (size_t r = 0; r < sizeof(rates) / sizeof(rates[0]); r++) {
		begin(rates[r]);
		for (int i = 0; i < 2; i++) {
			share_child_init(&source[i], &sim.pool, 1, sim.now_ms);
			share_pool_set(&source[i], 0, BURST_MS);
		}
		for (int i = 0; i < 42; i++) {
			share_child_init(
				&of[i], &source[i >= 40], 1, sim.now_ms);
			add(i % WORKERS, -1)->shaper.part[PART_GLOBAL].pool =
				&of[i];
		}
		add(0, -1); /* of no source */
		run(1000);
		forget();
		run(10000);
		near(sum(), rates[r] * 10, 20);
		near(sent_by(0, 40), rates[r] * 10 / 3, 30);
		near(sent_by(40, 2), rates[r] * 10 / 3, 30);
		near(sent_by(40, 1), rates[r] * 10 / 6, 30);
		near(sent_by(42, 1), rates[r] * 10 / 3, 30);
		for (int i = 0; i < 43; i++)
			shaper_leave(&sim.one[i].shaper,
				&sim.round[sim.one[i].worker]);
		assert_int_equal(atomic_load(&sim.pool.weight), 0);
		for (int i = 0; i < 2; i++) {
			assert_int_equal(atomic_load(&source[i].weight), 0);
			assert_int_equal(atomic_load(&source[i].counted), 0);
			assert_int_equal(atomic_load(&source[i].level), 0);
		}
	}
}

/* What a source does not use goes to other sources.  A device that needs little
 * does not wait for its source's share. */
static void unused_shares_of_sources_go_to_the_others(void **state)
{
	static struct share_pool source[2], of[4];

	(void)state;
	begin(9000000);
	for (int i = 0; i < 2; i++) {
		share_child_init(&source[i], &sim.pool, 1, sim.now_ms);
		share_pool_set(&source[i], 0, BURST_MS);
	}
	for (int i = 0; i < 4; i++) {
		share_child_init(&of[i], &source[i / 2], 1, sim.now_ms);
		add(i % WORKERS, i == 3 ? -1 : 100000)
			->shaper.part[PART_GLOBAL]
			.pool = &of[i];
	}
	run(1000);
	forget();
	run(10000);
	near(sent_by(0, 1), 1000000, 20);
	near(sent_by(1, 1), 1000000, 20);
	near(sent_by(2, 1), 1000000, 20);
	near(sum(), 90000000, 20);
}

/* Its modest sessions do not take from the share of its greedy one. */
static void what_a_session_leaves_its_device_has_first(void **state)
{
	(void)state;
	begin_with_devices(10000000);
	for (int i = 0; i < 9; i++)
		add_of(0, 20000);
	add_of(0, -1);
	add_of(1, -1);
	run(1000);
	forget();
	run(10000);
	near(sum(), 100000000, 20);
	near(sent_by(0, 10), 50000000, 30);
	near(sent_by(0, 9), 1800000, 20);
	near(sent_by(10, 1), 50000000, 30);
}

/* What a device does not use goes to other devices. */
static void unused_shares_of_devices_go_to_the_others(void **state)
{
	(void)state;
	begin_with_devices(9000000);
	add_of(0, 100000);
	add_of(0, 200000);
	add_of(1, -1);
	add_of(1, -1);
	add_of(2, -1);
	run(1000);
	forget();
	run(10000);
	near(sum(), 90000000, 20);
	near(sent_by(0, 2), 3000000, 20);
	near(sent_by(2, 2), 43500000, 30);
	near(sent_by(4, 1), 43500000, 30);
}

static void a_devices_shares_may_change(void **state)
{
	(void)state;
	begin_with_devices(4000000);
	add_of(0, -1);
	add_of(0, -1);
	add_of(1, -1);
	share_child_set(&device[0], 3);
	run(1000);
	forget();
	run(10000);
	near(sent_by(0, 2), 30000000, 20);
	share_child_set(&device[0], 1);
	run(100);
	forget();
	run(10000);
	near(sent_by(0, 2), 20000000, 30);
	for (int i = 0; i < 3; i++)
		shaper_leave(&sim.one[i].shaper, &sim.round[sim.one[i].worker]);
	assert_int_equal(atomic_load(&sim.pool.weight), 0);
	assert_int_equal(atomic_load(&device[0].counted), 0);
	assert_int_equal(atomic_load(&device[0].level), 0);
	/* No session is active.  The next one uses the new weight. */
	share_child_set(&device[0], 5);
	assert_int_equal(atomic_load(&sim.pool.weight), 0);
}

/* A worker with a late clock does not reduce the total rate. */
static void threads_need_not_agree_about_the_time(void **state)
{
	(void)state;
	begin(4000000);
	sim.late_ms[1] = 7;
	for (int i = 0; i < 4; i++)
		add(i % WORKERS, -1);
	run(10000);
	near(sum(), 40000000, 20);
	for (int i = 0; i < 4; i++)
		near(sim.one[i].sent[0], 10000000, 40);
}

/* Sessions that send a little now and then do not wait for a tick. */
static void short_messages_go_at_once(void **state)
{
	struct one *small;
	int waited = 0;

	(void)state;
	begin(2000000);
	for (int i = 0; i < 4; i++)
		add(i % WORKERS, -1);
	small = add(1, 0);
	run(1000);
	for (int i = 0; i < 200; i++) {
		run(37 + i % 11);
		small->backlog[0] = 200;
		run(1);
		waited += small->backlog[0] > 0;
	}
	assert_true(waited <= 10);
}

static void a_new_rate_holds_at_once(void **state)
{
	(void)state;
	begin(8000000);
	add(0, -1);
	add(1, -1);
	run(2000);
	share_pool_set(&sim.pool, 1000000, BURST_MS);
	run(200); /* until borrowed and saved bytes are used up */
	forget();
	run(5000);
	near(sum(), 5000000, 20);
	share_pool_set(&sim.pool, 6000000, BURST_MS);
	forget();
	run(5000);
	near(sum(), 30000000, 30);
}

static void silence_is_made_up_for_within_the_burst(void **state)
{
	(void)state;
	begin(1000000);
	run(60000);
	add(0, -1);
	add(1, -1);
	run(100);
	assert_true(sum() <= 100000 + 100000 + 20000);
	assert_true(sum() >= 180000);
}

static void who_leaves_gives_back(void **state)
{
	(void)state;
	begin(1000000);
	add(0, -1);
	add(1, -1);
	run(1000);
	for (int i = 0; i < 2; i++)
		shaper_leave(&sim.one[i].shaper, &sim.round[sim.one[i].worker]);
	assert_int_equal(atomic_load(&sim.pool.weight), 0);
	assert_null(sim.round[0].first);
	assert_true(atomic_load(&sim.pool.level) >= -10000 * 1000);
	assert_true(atomic_load(&sim.pool.level) <= 120000 * 1000);
}

/* 0 in 32 bits. */
static void four_gib_may_wait_to_be_sent(void **state)
{
	struct share_wait wait = {false, 0};

	(void)state;
	assert_int_equal(share_wait_grant(&wait, INT64_C(4294967296000),
				 SHARE_PIECE, 1000),
		SHARE_PIECE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_accurate),
		cmocka_unit_test(is_smooth),
		cmocka_unit_test(shares_evenly),
		cmocka_unit_test(unused_shares_go_to_the_others),
		cmocka_unit_test(a_weight_is_so_many_shares),
		cmocka_unit_test(both_directions_have_their_half),
		cmocka_unit_test(a_session_has_a_limit_of_its_own),
		cmocka_unit_test(limits_meet),
		cmocka_unit_test(a_device_shares_among_its_sessions),
		cmocka_unit_test(devices_share_before_sessions_do),
		cmocka_unit_test(sources_share_before_devices_do),
		cmocka_unit_test(unused_shares_of_sources_go_to_the_others),
		cmocka_unit_test(what_a_session_leaves_its_device_has_first),
		cmocka_unit_test(unused_shares_of_devices_go_to_the_others),
		cmocka_unit_test(a_devices_shares_may_change),
		cmocka_unit_test(threads_need_not_agree_about_the_time),
		cmocka_unit_test(short_messages_go_at_once),
		cmocka_unit_test(a_new_rate_holds_at_once),
		cmocka_unit_test(silence_is_made_up_for_within_the_burst),
		cmocka_unit_test(who_leaves_gives_back),
		cmocka_unit_test(four_gib_may_wait_to_be_sent),
		cmocka_unit_test(who_moves_gets_neither_more_nor_less),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
