/* SPDX-License-Identifier: MPL-2.0 */

/* What memory was short for, and is done again. */

#include "cluster/claims/claims.h"
#include "cluster/claims/claims_state.h"

/* All devices, which is slow; but memory is seldom short, and a list of those
 * that wait would take some. */
static void for_all(struct claims *claims,
	void (*fn)(struct claims *claims, struct claim *claim, int64_t now_ms),
	int64_t now_ms)
{
	for (size_t i = 0; i < (size_t)1 << claims->table.bits; i++)
		for (struct claim *claim = claims->table.bucket[i], *next;
			claim; claim = next) {
			next = claim->chain;
			fn(claims, claim, now_ms);
		}
}

void claims_delayed(struct claims *claims, int64_t now_ms)
{
	claims->count.delayed++;
	if (!claims->again_ms)
		claims->again_ms = now_ms + CLAIMS_AGAIN_MS;
}

static void do_again(struct claims *claims, struct claim *claim, int64_t now_ms)
{
	bool doubted = claim->flags & CLAIM_DOUBTED;

	claim->flags &= (uint16_t)~CLAIM_DOUBTED;
	if (claim->flags & CLAIM_ENDS)
		claim_end(claims, claim, claim->flags & CLAIM_SENT, now_ms);
	else if (doubted)
		claim_doubt(claims, claim, claim->rival, now_ms);
}

void claims_again(struct claims *claims, int64_t now_ms)
{
	if (!claims->again_ms || now_ms < claims->again_ms)
		return;
	claims->again_ms = 0;
	for_all(claims, do_again, now_ms);
}

static void mark(struct claims *claims, struct claim *claim, int64_t now_ms)
{
	(void)claims;
	(void)now_ms;
	if (claim->conn)
		claim->flags |= CLAIM_UNSEEN;
}

void claims_recount(struct claims *claims)
{
	for_all(claims, mark, 0);
}

int claims_seen(struct claims *claims, const uint8_t *id,
	struct claim_conn conn, int64_t now_ms)
{
	struct claim *claim = claim_here(claims, id);

	if (!claim || !claim_has_conn(claim, conn))
		return claims_joined(claims, id, conn, now_ms);
	claim->flags &= (uint16_t)~CLAIM_UNSEEN;
	return 0;
}

static void settle(struct claims *claims, struct claim *claim, int64_t now_ms)
{
	if (claim->flags & CLAIM_UNSEEN) {
		claim_gone(claims, claim);
	} else if (claim->flags & CLAIM_PROBED) {
		claim->flags &= (uint16_t)~CLAIM_PROBED;
		claim_doubt(claims, claim, claim->rival, now_ms);
	}
}

void claims_recounted(struct claims *claims, int64_t now_ms)
{
	for_all(claims, settle, now_ms);
	claims_pump(claims, now_ms);
}
