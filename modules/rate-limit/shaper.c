/* SPDX-License-Identifier: MPL-2.0 */

/* How many bytes of a session all limits together allow now. */

#include <stddef.h>

#include <utlist.h>

#include "shaper.h"

/* If both directions have data, one may be ahead of the other by this much. */
#define LEAD_MOST 262144
/* A bucket holds at least two bytes, so that the lowest rates work. */
#define TOKENS_LEAST 2000

void shaper_begin(struct shaper *shaper, int64_t now_ms)
{
	shaper->tokens = shaper->rate * shaper->burst_ms;
	shaper->filled_ms = now_ms;
}

void shaper_rate(struct shaper *shaper, int64_t rate, int64_t burst_ms)
{
	shaper->rate = rate;
	shaper->burst_ms = burst_ms;
}

static void fill(struct shaper *shaper, int64_t now_ms)
{
	int64_t most = shaper->rate * shaper->burst_ms;
	int64_t elapsed = now_ms - shaper->filled_ms;

	if (most < TOKENS_LEAST)
		most = TOKENS_LEAST;
	shaper->filled_ms = now_ms;
	if (elapsed > 60000)
		elapsed = 60000;
	shaper->tokens += elapsed * shaper->rate;
	if (shaper->tokens > most)
		shaper->tokens = most;
	else if (shaper->tokens < -most)
		shaper->tokens = -most;
}

static size_t grant_own(
	struct shaper *shaper, size_t len, int64_t now_ms, int64_t *wait_ms)
{
	int64_t need = (int64_t)(len < SHARE_PIECE ? len : SHARE_PIECE) * 1000;
	size_t grant;

	fill(shaper, now_ms);
	grant = share_wait_grant(&shaper->wait, shaper->tokens, len, now_ms);
	if (grant)
		return grant;
	need -= shaper->tokens;
	*wait_ms = SHARE_PIECE_MS;
	if (need < shaper->rate * SHARE_PIECE_MS)
		*wait_ms = (need + shaper->rate - 1) / shaper->rate;
	if (*wait_ms < 1)
		*wait_ms = 1;
	return 0;
}

static void enter(
	struct shaper *shaper, struct shaper_round *round, int64_t now_ms)
{
	shaper->in = true;
	DL_PREPEND(round->first, shaper);
	for (int i = 0; i < SHAPER_PARTS; i++)
		if (shaper->part[i].pool)
			share_enter(&shaper->part[i], shaper->weight, now_ms);
}

void shaper_leave(struct shaper *shaper, struct shaper_round *round)
{
	if (!shaper->in)
		return;
	shaper->in = false;
	DL_DELETE(round->first, shaper);
	for (int i = 0; i < SHAPER_PARTS; i++)
		if (shaper->part[i].pool)
			share_leave(&shaper->part[i], shaper->weight);
}

void shaper_depart(struct shaper *shaper, struct shaper_round *round)
{
	if (shaper->in)
		DL_DELETE(round->first, shaper);
}

void shaper_arrive(struct shaper *shaper, struct shaper_round *round)
{
	if (!shaper->in)
		return;
	DL_PREPEND(round->first, shaper);
	/* This tick may have been handled there, and not here. */
	shaper->asked = true;
}

/* A session that waits longer than a tick is still active. */
static bool waits(const struct shaper *shaper, int64_t now_ms)
{
	return shaper->queued_until_ms[0] > now_ms ||
	       shaper->queued_until_ms[1] > now_ms;
}

void shaper_round_turn(struct shaper_round *round, int64_t now_ms)
{
	struct shaper *shaper = round->first;

	if (round->tick >= share_tick(now_ms))
		return;
	round->tick = share_tick(now_ms);
	while (shaper) {
		struct shaper *next = shaper->next;

		if (!shaper->asked && !waits(shaper, now_ms))
			shaper_leave(shaper, round);
		for (int i = 0; shaper->in && i < SHAPER_PARTS; i++)
			if (shaper->part[i].pool)
				share_turn(&shaper->part[i], shaper->weight,
					now_ms);
		shaper->asked = false;
		shaper = next;
	}
}

static size_t least(struct shaper *shaper, size_t len, int64_t now_ms,
	int64_t *wait_ms, enum shaper_limit *limit)
{
	size_t grant = len;
	int64_t wait = 1;

	for (int i = 0; grant && i < SHAPER_PARTS; i++) {
		if (!shaper->part[i].pool)
			continue;
		grant = share_grant(
			&shaper->part[i], shaper->weight, grant, now_ms, &wait);
		*limit = i == PART_GLOBAL ? LIMIT_GLOBAL : LIMIT_DEVICE;
	}
	if (grant && shaper->rate) {
		grant = grant_own(shaper, grant, now_ms, &wait);
		*limit = LIMIT_SESSION;
	}
	*wait_ms = wait;
	return grant;
}

/*
 * Whether this direction has had its half while the other one waits.  Without
 * this, the direction that is always called first would take everything.
 */
static bool had_its_half(struct shaper *shaper, int from, size_t grant)
{
	int64_t lead = from ? -shaper->lead : shaper->lead;

	return lead >= (int64_t)(grant < LEAD_MOST ? grant : LEAD_MOST);
}

size_t shaper_grant(struct shaper *shaper, struct shaper_round *round, int from,
	size_t len, int64_t now_ms, int64_t *wait_ms, enum shaper_limit *limit)
{
	size_t grant;

	shaper_round_turn(round, now_ms);
	if (!shaper->in)
		enter(shaper, round, now_ms);
	shaper->asked = true;
	grant = least(shaper, len, now_ms, wait_ms, limit);
	if (shaper->queued_until_ms[1 - from] <= now_ms) {
		shaper->lead = 0;
	} else if (grant && had_its_half(shaper, from, grant)) {
		grant = 0;
		*wait_ms = 1;
	}
	/* A margin, because the next call may come late. */
	shaper->queued_until_ms[from] =
		grant ? 0 : now_ms + *wait_ms + 2 * SHARE_TICK_MS;
	return grant;
}

void shaper_sent(struct shaper *shaper, int from, size_t len)
{
	int64_t amount = (int64_t)len * 1000;

	for (int i = 0; i < SHAPER_PARTS; i++)
		if (shaper->part[i].pool)
			shaper->part[i].allowance -= amount;
	shaper->tokens -= amount;
	shaper->lead += from ? -(int64_t)len : (int64_t)len;
}
