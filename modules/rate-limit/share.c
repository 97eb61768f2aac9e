/* SPDX-License-Identifier: MPL-2.0 */

/* A rate that sessions of all threads share evenly. */

#include "share.h"

/* Longer idle times fill no pool further; the cap prevents overflow. */
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
	pool->parent = NULL;
}

void share_child_init(struct share_pool *pool, struct share_pool *parent,
	int64_t shares, int64_t now_ms)
{
	share_pool_init(pool, 0, 0, now_ms - 2 * SHARE_TICK_MS);
	pool->parent = parent;
	put(&pool->shares, shares);
	put(&pool->counted, 0);
}

/*
 * Updates the parent's weight with a child's shares.  Several threads may do
 * this at once: each adds its own difference, so the sum is correct.  Returns
 * the parent's weight before and stores that after.
 */
static int64_t count(struct share_pool *pool, int64_t shares, int64_t *after)
{
	int64_t by = shares - atomic_exchange(&pool->counted, shares);
	int64_t before = atomic_fetch_add(&pool->parent->weight, by);

	*after = before + by;
	return before;
}

/* Adds the pool to its parent.  If that makes the parent active, continues with
 * the parent's parent. */
static void join_parent(struct share_pool *pool)
{
	int64_t before, after;

	do {
		before = count(pool, get(&pool->shares), &after);
		pool = pool->parent;
	} while (pool->parent && before == 0 && after > 0);
}

/* Removes the pool from its parent.  If the parent has no active member then,
 * continues with the parent's parent. */
static void leave_parent(struct share_pool *pool)
{
	int64_t before, after;

	do {
		before = count(pool, 0, &after);
		/* Another thread may have joined the pool meanwhile: check
		 * again. */
		if (atomic_load(&pool->weight) > 0) {
			join_parent(pool);
			return;
		}
		add(&pool->parent->level, atomic_exchange(&pool->level, 0));
		pool = pool->parent;
	} while (pool->parent && before > 0 && after == 0);
}

void share_child_set(struct share_pool *pool, int64_t shares)
{
	put(&pool->shares, shares);
	if (atomic_load(&pool->counted) > 0)
		join_parent(pool);
	if (atomic_load(&pool->weight) == 0)
		leave_parent(pool);
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
	/* Negative if a thread's clock is behind; the sum is still correct. */
	add(&pool->level, rate * elapsed);
	level = get(&pool->level);
	if (level > most)
		add(&pool->level, most - level);
	else if (level < -most) /* the rate was lowered: drop old loans */
		add(&pool->level, -most - level);
}

/* The most that new sessions together may borrow from the next tick. */
static int64_t room(const struct share_pool *pool)
{
	int64_t gain = get(&pool->rate) * SHARE_TICK_MS;

	if (pool->parent)
		gain = get(&pool->parent->quantum) * get(&pool->counted);
	return get(&pool->level) + gain / 2;
}

static void make_quantum(struct share_pool *pool, int64_t now_ms);

/*
 * Settles a tick with the parent.  Bandwidth that sessions returned first goes
 * to their siblings, in the next quantum.  What exceeds the burst goes to other
 * children.
 */
static void fill_child(struct share_pool *pool, int64_t now_ms)
{
	struct share_pool *parent = pool->parent;
	int64_t ticks = get(&parent->burst_ms) / SHARE_TICK_MS;
	/* A child that was not active before is not in the quantum's sum. */
	bool is_new = now_ms - get(&pool->filled_ms) >= 2 * SHARE_TICK_MS;
	int64_t amount, most, spare;

	put(&pool->filled_ms, now_ms);
	make_quantum(parent, now_ms);
	amount = get(&parent->quantum) * get(&pool->counted);
	most = room(parent);
	if (is_new && amount > most)
		amount = most > 0 ? most : 0;
	spare = get(&pool->level) + amount - amount * (ticks > 1 ? ticks : 1);
	if (spare > 0)
		amount -= spare;
	add(&pool->level, amount);
	add(&parent->level, -amount);
}

/* The first thread in a tick computes its quantum; all others use it. */
static void make_quantum(struct share_pool *pool, int64_t now_ms)
{
	int64_t tick = share_tick(now_ms), before = get(&pool->tick);
	int64_t level, weight;

	if (before >= tick ||
		!atomic_compare_exchange_strong_explicit(&pool->tick, &before,
			tick, memory_order_relaxed, memory_order_relaxed))
		return;
	if (pool->parent)
		fill_child(pool, now_ms);
	else
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
	int64_t most, amount;

	part->wait.on = false;
	part->allowance = 0;
	if (atomic_fetch_add(&pool->weight, weight) == 0 && pool->parent)
		join_parent(pool);
	make_quantum(pool, now_ms);
	part->tick = share_tick(now_ms);
	most = room(pool);
	amount = get(&pool->quantum) * weight;
	if (amount > most)
		amount = most;
	if (amount > 0)
		take(part, amount);
}

void share_turn(struct share_part *part, int64_t weight, int64_t now_ms)
{
	int64_t tick = share_tick(now_ms);

	if (part->tick >= tick)
		return;
	part->tick = tick;
	/*
	 * New bandwidth first pays debts; a waiting session keeps what it has.
	 */
	if (part->allowance > 0 && !part->wait.on)
		take(part, -part->allowance);
	make_quantum(part->pool, now_ms);
	take(part, get(&part->pool->quantum) * weight);
}

void share_leave(struct share_part *part, int64_t weight)
{
	struct share_pool *pool = part->pool;

	add(&pool->level, part->allowance);
	if (atomic_fetch_sub(&pool->weight, weight) == weight && pool->parent)
		leave_parent(pool);
	part->allowance = 0;
	part->wait.on = false;
}

size_t share_wait_grant(
	struct share_wait *wait, int64_t have, size_t len, int64_t now_ms)
{
	uint64_t bytes = have >= 1000 ? (uint64_t)have / 1000 : 0;
	size_t piece = len < SHARE_PIECE ? len : SHARE_PIECE;

	if (!wait->on && bytes == 0)
		*wait = (struct share_wait){true, now_ms};
	if (wait->on &&
		(bytes == 0 || (bytes < piece && now_ms - wait->since_ms <
							 SHARE_PIECE_MS)))
		return 0;
	wait->on = false;
	return bytes < len ? (size_t)bytes : len;
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
