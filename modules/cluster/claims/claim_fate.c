/* SPDX-License-Identifier: MPL-2.0 */

/* What becomes of a device. */

#include <utlist.h>

#include "cluster/claims/claims_state.h"

void claim_set_known(struct claims *claims, struct claim *claim, bool known)
{
	if (claim->known_in == claims->era)
		claims->known--;
	claim->known_in = known ? claims->era : 0;
	if (known)
		claims->known++;
}

void claim_forget(struct claims *claims, struct claim *claim)
{
	if (claim->flags & CLAIM_WAITS)
		DL_DELETE(claims->queue, claim);
	claim_table_remove(&claims->table, claim);
}

void claim_leave(struct claims *claims, struct claim *claim)
{
	claim_set_known(claims, claim, false);
	claim->flags &=
		(uint16_t) ~(CLAIM_JOINS | CLAIM_DEFENDS | CLAIM_PROBED |
			     CLAIM_DOUBTED | CLAIM_ENDS | CLAIM_UNSEEN);
	claim->conn = 0;
	claims->here--;
}

struct claim *claim_here(const struct claims *claims, const uint8_t *id)
{
	struct claim *claim = claim_table_find(&claims->table, id);

	return claim && claim->conn ? claim : NULL;
}

bool claim_has_conn(const struct claim *claim, struct claim_conn conn)
{
	return claim->conn == conn.conn && claim->worker == conn.worker;
}

void claim_gone(struct claims *claims, struct claim *claim)
{
	claim_leave(claims, claim);
	if (claim->flags & CLAIM_SENT)
		claim_wait(claims, claim);
	else
		claim_forget(claims, claim);
}

/* It stays in the table, so that it is not forgotten, but claims nothing. */
static void end_later(
	struct claims *claims, struct claim *claim, int64_t now_ms)
{
	claim_set_known(claims, claim, false);
	if (claim->flags & CLAIM_WAITS)
		DL_DELETE(claims->queue, claim);
	claim->flags &=
		(uint16_t) ~(CLAIM_JOINS | CLAIM_DEFENDS | CLAIM_PROBED |
			     CLAIM_DOUBTED | CLAIM_WAITS);
	claim->flags |= CLAIM_ENDS;
	claims_delayed(claims, now_ms);
}

void claim_end(struct claims *claims, struct claim *claim, bool release,
	int64_t now_ms)
{
	struct claim_conn conn = {claim->worker, claim->conn};

	if (claims->calls->end(claims->arg, claim->id, conn) != 0) {
		end_later(claims, claim, now_ms);
		return;
	}
	claims->count.replaced++;
	claim_leave(claims, claim);
	if (release)
		claim_wait(claims, claim);
	else if (!(claim->flags & CLAIM_FLIES))
		claim_forget(claims, claim);
}

void claim_doubt(struct claims *claims, struct claim *claim, uint64_t rival,
	int64_t now_ms)
{
	struct claim_conn conn = {claim->worker, claim->conn};

	if (claim->flags & CLAIM_ENDS)
		return;
	claim->rival = rival;
	if (claims->calls->probe(claims->arg, claim->id, conn) == 0) {
		claim->flags |= CLAIM_PROBED;
		return;
	}
	claim->flags |= CLAIM_DOUBTED;
	claims_delayed(claims, now_ms);
}

void claims_heard(struct claims *claims, uint64_t epoch)
{
	/* One that is beyond all reason, which only somebody who writes into
	 * the registry can make, is not spread to other devices. */
	if (epoch > claims->highest && epoch < CLAIMS_EPOCH_SANE)
		claims->highest = epoch;
}
