/* SPDX-License-Identifier: MPL-2.0 */

/*
 * When the registry is asked: claims and releases in the order in which they
 * were wanted, and behind them, when nothing else waits, the round of checks.
 */

#include <utlist.h>

#include "cluster/claims/claims_state.h"

#define ROUND          (UINT64_C(1) << 32)
#define BACK_OFF_LEAST 100
#define BACK_OFF_MOST  5000
/* How often the walk goes on: in a hurry, and otherwise at most. */
#define HURRY_TICK_MS 10
#define TICK_MS       100
#define IDLE_MS       1000
/* A tick may be that late, and no device is to wait longer than promised. */
#define ROUND_MS (CLAIMS_CHECK_MS - IDLE_MS)

static bool may_ask(const struct claims *claims, int64_t now_ms)
{
	return !claims->away && now_ms >= claims->pause_ms;
}

void claim_wait(struct claims *claims, struct claim *claim)
{
	if (claim->flags & (CLAIM_WAITS | CLAIM_FLIES | CLAIM_ENDS))
		return;
	claim->flags |= CLAIM_WAITS;
	DL_APPEND(claims->queue, claim);
}

void claims_failed(struct claims *claims, int64_t now_ms)
{
	int64_t most = BACK_OFF_LEAST;

	/* Those that were under way together fail together, and count once. */
	if (!may_ask(claims, now_ms))
		return;
	for (unsigned i = 0; i < claims->failures && most < BACK_OFF_MOST; i++)
		most *= 2;
	if (most > BACK_OFF_MOST)
		most = BACK_OFF_MOST;
	claims->failures++;
	claims->pause_ms = now_ms + most / 2 +
			   (int64_t)(claims->calls->random(claims->arg) %
				     (uint64_t)(most / 2 + 1));
}

static int ask(struct claims *claims, struct claim *claim)
{
	bool join = (claim->flags & CLAIM_JOINS) || !claim->epoch;
	uint64_t epoch = claim->epoch;

	if (!claim->conn) {
		if (claims->calls->release(
			    claims->arg, claim->id, claims->serial) != 0)
			return -1;
		claim_forget(claims, claim);
		return 0;
	}
	if (join && claims->highest > epoch)
		epoch = claims->highest;
	if (claims->calls->claim(claims->arg, claim->id,
		    join ? CLAIM_JOIN : CLAIM_CHECK, epoch,
		    claims->serial + 1) != 0)
		return -1;
	claims->serial++;
	DL_DELETE(claims->queue, claim);
	claim->flags &= (uint16_t) ~(CLAIM_WAITS | CLAIM_JOINS);
	claim->flags |= CLAIM_SENT | CLAIM_FLIES;
	if (join)
		claim->flags |= CLAIM_JOINING;
	claims->flights++;
	claims->count.claims++;
	return 0;
}

static void ask_all(struct claims *claims, int64_t now_ms)
{
	while (claims->queue && claims->flights < CLAIMS_FLIGHT &&
		may_ask(claims, now_ms))
		if (ask(claims, claims->queue) != 0)
			claims_failed(claims, now_ms);
}

/* The share of a bucket in the round. */
static uint64_t span(const struct claims *claims)
{
	return ROUND >> claims->table.bits;
}

static void check_bucket(struct claims *claims)
{
	unsigned shift = 32 - claims->table.bits;
	struct claim *claim = claims->table.bucket[claims->place >> shift];

	for (; claim; claim = claim->chain)
		if (claim->conn)
			claim_wait(claims, claim);
	claims->place += (uint32_t)span(claims);
	claims->owed -= span(claims);
}

void claims_pump(struct claims *claims, int64_t now_ms)
{
	ask_all(claims, now_ms);
	while (!claims->queue && claims->owed >= span(claims) &&
		claims->flights < CLAIMS_FLIGHT && may_ask(claims, now_ms)) {
		check_bucket(claims);
		ask_all(claims, now_ms);
	}
}

void claims_hurry(struct claims *claims)
{
	if (!++claims->era)
		claims->era = 1;
	claims->known = 0;
	claims->place = (uint32_t)claims->calls->random(claims->arg) &
			~(uint32_t)(span(claims) - 1);
	claims->owed = 0;
	claims->hurry = ROUND;
}

void claims_walk(struct claims *claims, int64_t now_ms)
{
	uint64_t past = 0, way;

	if (claims->walks && now_ms > claims->walked_ms)
		past = (uint64_t)(now_ms - claims->walked_ms);
	claims->walks = true;
	claims->walked_ms = now_ms;
	if (!may_ask(claims, now_ms))
		return;
	if (past > ROUND_MS)
		past = ROUND_MS;
	way = past * ROUND / ROUND_MS;
	if (claims->hurry) {
		way = past * ROUND / CLAIMS_BACK_MS;
		if (way > claims->hurry)
			way = claims->hurry;
		claims->hurry -= way;
	}
	claims->owed += way;
	if (claims->owed > ROUND)
		claims->owed = ROUND;
}

int64_t claims_idle_ms(const struct claims *claims, int64_t now_ms)
{
	uint64_t way;
	int64_t idle = IDLE_MS;

	if (claims->away)
		return idle;
	if (now_ms < claims->pause_ms) {
		idle = claims->pause_ms - now_ms;
	} else if (claims->hurry) {
		idle = HURRY_TICK_MS;
	} else if (claims->here && claims->owed < span(claims)) {
		way = span(claims) - claims->owed;
		idle = (int64_t)(way * ROUND_MS / ROUND) + 1;
		if (idle < TICK_MS)
			idle = TICK_MS;
	}
	if (claims->notes.first && claims->notes.first->due_ms - now_ms < idle)
		idle = claims->notes.first->due_ms - now_ms;
	if (idle > IDLE_MS)
		idle = IDLE_MS;
	return idle > 0 ? idle : 1;
}
