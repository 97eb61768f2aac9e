/* SPDX-License-Identifier: MPL-2.0 */

/* claims_state.h - what the files of this folder share. */
#ifndef CLUSTER_CLAIMS_STATE_H
#define CLUSTER_CLAIMS_STATE_H

#include "cluster/claims/claim_calls.h"
#include "cluster/claims/claim_notes.h"
#include "cluster/claims/claim_table.h"

struct claims {
	const struct claims_calls *calls;
	void *arg;
	uint64_t self;
	struct claim_table table;
	struct claim_notes notes;
	struct claim *queue; /* utlist: claims and releases that wait */
	uint32_t flights;    /* claims that are under way */
	uint64_t serial;     /* of the last claim */
	uint16_t era;        /* another one when the registry may have lost
				some; never 0 */
	uint64_t highest;    /* epoch of any device that was heard of */

	/* The registry. */
	bool away;
	unsigned failures; /* in a row */
	int64_t pause_ms;  /* it is not asked before that time */
	int64_t again_ms;  /* when to look for what memory was short for; 0:
			      there is nothing */

	/* The round of checks, in 2^-32 of a round. */
	bool walks;        /* walked_ms is set */
	int64_t walked_ms; /* up to when it is counted in `owed` */
	uint32_t place;    /* where the walk is */
	uint64_t owed;     /* how far it should be by now */
	uint64_t hurry;    /* how far to walk at the speed of CLAIMS_BACK_MS */

	uint64_t here;  /* devices that have a connection */
	uint64_t known; /* of these, known to the registry in this era */
	struct claims_count count;
};

/* claim_queue.c */

/* The device is to be claimed or released when it is its turn; without effect
 * if it already waits, or flies: its result looks after it then; and if its
 * connection is to end. */
void claim_wait(struct claims *claims, struct claim *claim);
/* Sends what may be sent now. */
void claims_pump(struct claims *claims, int64_t now_ms);
/* The registry has refused or did not answer. */
void claims_failed(struct claims *claims, int64_t now_ms);
/* All are to be checked within CLAIMS_BACK_MS. */
void claims_hurry(struct claims *claims);
/* Time has passed. */
void claims_walk(struct claims *claims, int64_t now_ms);
/* The ms until claims_tick() has to be called for this. */
int64_t claims_idle_ms(const struct claims *claims, int64_t now_ms);

/* claim_fate.c */

/* NULL: it is not here. */
struct claim *claim_here(const struct claims *claims, const uint8_t *id);
bool claim_has_conn(const struct claim *claim, struct claim_conn conn);
/* Its connection is gone, and the registry is to know it. */
void claim_gone(struct claims *claims, struct claim *claim);

/* It is no longer here, and nothing of it is under way. */
void claim_forget(struct claims *claims, struct claim *claim);
/* Its connection is no longer here; what of it is under way is awaited. */
void claim_leave(struct claims *claims, struct claim *claim);
void claim_set_known(struct claims *claims, struct claim *claim, bool known);
/* Another node has it, or thinks so, with the epoch `rival`: our connection
 * must show that it lives. */
void claim_doubt(struct claims *claims, struct claim *claim, uint64_t rival,
	int64_t now_ms);
/* Ends the connection, because another node has the device.  `release`: the
 * registry may have it as ours. */
void claim_end(struct claims *claims, struct claim *claim, bool release,
	int64_t now_ms);
/* An epoch was heard of. */
void claims_heard(struct claims *claims, uint64_t epoch);

/* claim_again.c */

/* Memory was short. */
void claims_delayed(struct claims *claims, int64_t now_ms);
/* Does it again, if it is due. */
void claims_again(struct claims *claims, int64_t now_ms);

#endif
