/* SPDX-License-Identifier: MPL-2.0 */

/* What becomes of a device. */

#include <string.h>

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
	claim->flags &= (uint8_t) ~(CLAIM_JOINS | CLAIM_DEFENDS | CLAIM_PROBED);
	claim->conn = 0;
	claims->here--;
}

void claim_end(struct claims *claims, struct claim *claim, bool release)
{
	struct claim_conn conn = {claim->worker, claim->conn};
	uint8_t id[REGISTRY_ID];

	memcpy(id, claim->id, sizeof(id));
	claim_leave(claims, claim);
	if (release)
		claim_wait(claims, claim);
	else if (!(claim->flags & CLAIM_FLIES))
		claim_forget(claims, claim);
	claims->count.replaced++;
	claims->calls->end(claims->arg, id, conn);
}

void claim_doubt(struct claims *claims, struct claim *claim, uint64_t rival,
	int64_t now_ms)
{
	struct claim_conn conn = {claim->worker, claim->conn};
	struct note again = {.what = NOTE_CHECK};

	if (claims->calls->probe(claims->arg, claim->id, conn) == 0) {
		claim->flags |= CLAIM_PROBED;
		claim->rival = rival;
		return;
	}
	memcpy(again.id, claim->id, sizeof(again.id));
	notes_add(&claims->notes, &again, now_ms + CLAIMS_REPEAT_MS);
}

void claims_heard(struct claims *claims, uint64_t epoch)
{
	/* One that is beyond all reason, which only somebody who writes into
	 * the registry can make, is not spread to other devices. */
	if (epoch > claims->highest && epoch < CLAIMS_EPOCH_SANE)
		claims->highest = epoch;
}
