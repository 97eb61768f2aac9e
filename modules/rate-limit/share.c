/* SPDX-License-Identifier: MPL-2.0 */

/* A rate that many sessions of many threads share evenly. */

#include "share.h"

/* Longer silences fill no pool further, and no product overflows. */
#define ELAPSED_MOST_MS 60000

static int64_t get(const _Atomic int64_t *from)
{
	return atomic_load_explicit(from, memory_order_relaxed);
}

static void put(_Atomic int64_t *to, int64_t value)
{
	atomic_store_explicit(to, value, memory_order_relaxed);
}

static void add(_Atomic int64_t *to, int64_t by)
{
	atomic_fetch_add_explicit(to, by, memory_order_relaxed);
}

void share_pool_init(
	struct share_pool *pool, int64_t rate, int64_t burst_ms, int64_t now_ms)
{
	share_pool_set(pool, rate, burst_ms);
	put(&pool->level, rate * burst_ms);
	put(&pool->filled_ms, now_ms);
	put(&pool->tick, share_tick(now_ms) - 1);
	put(&pool->quantum, 0);
	put(&pool->weight, 0);
}

void share_pool_set(struct share_pool *pool, int64_t rate, int64_t burst_ms)
{
	put(&pool->rate, rate);
	put(&pool->burst_ms, burst_ms);
}

static void fill(struct share_pool *pool, int64_t now_ms)
{
	int64_t rate = get(&pool->rate), level;
	int64_t most = rate * get(&pool->burst_ms);
	int64_t elapsed = now_ms - atomic_exchange_explicit(&pool->filled_ms,
					   now_ms, memory_order_relaxed);

	if (elapsed > ELAPSED_MOST_MS)
		elapsed = ELAPSED_MOST_MS;
	/* Below 0 when a thread's clock is behind: the sum comes out right. */
	add(&pool->level, rate * elapsed);
	level = get(&pool->level);
	if (level > most)
		add(&pool->level, most - level);
	else if (level < -most) /* the rate was lowered: forget old loans */
		add(&pool->level, -most - level);
}

/* Whoever sees a tick first makes its quantum, and all others use that. */
static void make_quantum(struct share_pool *pool, int64_t now_ms)
{
	int64_t tick = share_tick(now_ms), before = get(&pool->tick);
	int64_t level, weight;

	if (before >= tick ||
		!atomic_compare_exchange_strong_explicit(&pool->tick, &before,
			tick, memory_order_relaxed, memory_order_relaxed))
		return;
	fill(pool, now_ms);
	level = get(&pool->level);
	weight = get(&pool->weight);
	put(&pool->quantum, level > 0 ? level / (weight > 0 ? weight : 1) : 0);
}

static void take(struct share_part *part, int64_t amount)
{
	part->allowance += amount;
	add(&part->pool->level, -amount);
}

void share_enter(struct share_part *part, int64_t weight, int64_t now_ms)
{
	struct share_pool *pool = part->pool;
	int64_t room, amount;

	part->wait.on = false;
	part->allowance = 0;
	add(&pool->weight, weight);
	make_quantum(pool, now_ms);
	part->tick = share_tick(now_ms);
	/* What those who come may borrow together, of the next tick. */
	room = get(&pool->level) + get(&pool->rate) * SHARE_TICK_MS / 2;
	amount = get(&pool->quantum) * weight;
	if (amount > room)
		amount = room;
	if (amount > 0)
		take(part, amount);
}

void share_turn(struct share_part *part, int64_t weight, int64_t now_ms)
{
	int64_t tick = share_tick(now_ms);

	if (part->tick >= tick)
		return;
	part->tick = tick;
	/* Debts are paid from what comes; who waits goes on saving. */
	if (part->allowance > 0 && !part->wait.on)
		take(part, -part->allowance);
	make_quantum(part->pool, now_ms);
	take(part, get(&part->pool->quantum) * weight);
}

void share_leave(struct share_part *part, int64_t weight)
{
	add(&part->pool->weight, -weight);
	add(&part->pool->level, part->allowance);
	part->allowance = 0;
	part->wait.on = false;
}

size_t share_wait_grant(
	struct share_wait *wait, int64_t have, size_t len, int64_t now_ms)
{
	size_t bytes = have >= 1000 ? (size_t)(have / 1000) : 0;
	size_t piece = len < SHARE_PIECE ? len : SHARE_PIECE;

	if (!wait->on && bytes == 0)
		*wait = (struct share_wait){true, now_ms};
	if (wait->on &&
		(bytes == 0 || (bytes < piece && now_ms - wait->since_ms <
							 SHARE_PIECE_MS)))
		return 0;
	wait->on = false;
	return bytes < len ? bytes : len;
}

size_t share_grant(struct share_part *part, int64_t weight, size_t len,
	int64_t now_ms, int64_t *wait_ms)
{
	const int64_t most = SHARE_PIECE_MS / SHARE_TICK_MS;
	int64_t need, gain, ticks = most;
	size_t grant;

	grant = share_wait_grant(&part->wait, part->allowance, len, now_ms);
	if (grant)
		return grant;
	gain = get(&part->pool->quantum) * weight;
	need = (int64_t)(len < SHARE_PIECE ? len : SHARE_PIECE) * 1000 -
	       part->allowance;
	if (gain > 0 && need < gain * most)
		ticks = (need + gain - 1) / gain;
	if (ticks < 1)
		ticks = 1;
	*wait_ms = (share_tick(now_ms) + ticks) * SHARE_TICK_MS - now_ms;
	return 0;
}
