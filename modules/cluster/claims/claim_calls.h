/* SPDX-License-Identifier: MPL-2.0 */

/* claim_calls.h - what claims.h does, how fast, and what it counts. */
#ifndef CLUSTER_CLAIM_CALLS_H
#define CLUSTER_CLAIM_CALLS_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/registry.h"

#define CLAIMS_CHECK_MS 240000
#define CLAIMS_BACK_MS  2000
/* Claims under way at the same time; more wait for their turn. */
#define CLAIMS_FLIGHT 2000
/* CLAIMED and ALIVE are told again. */
#define CLAIMS_REPEAT_MS 3000
/* What memory was short for is done again. */
#define CLAIMS_AGAIN_MS 1000
/* Epochs of this height and more count for their device only. */
#define CLAIMS_EPOCH_SANE (UINT64_C(1) << 48)

/* A connection here; conn is never 0. */
struct claim_conn {
	int worker;
	uint64_t conn;
};

/* None of them may call a function of claims from within. */
struct claims_calls {
	/* As in struct registry_ops. */
	int (*claim)(void *arg, const uint8_t *id, enum claim_how how,
		uint64_t epoch, uint64_t serial);
	int (*release)(void *arg, const uint8_t *id, uint64_t serial);
	/* Messages.  They are also for a node that is not known to live: its
	 * lease may not have come yet, or it hangs and will wake. */
	void (*tell_claimed)(void *arg, uint64_t incarnation, const uint8_t *id,
		uint64_t epoch);
	void (*tell_alive)(void *arg, uint64_t incarnation, const uint8_t *id,
		uint64_t epoch);
	/* Asks the connection for a sign of life; claims_probed() follows, or
	 * claims_left(), or a recount.  -1: cannot be asked now. */
	int (*probe)(void *arg, const uint8_t *id, struct claim_conn conn);
	/* Ends the connection: another node has the device.  claims_left() may
	 * follow, and has no effect.  -1: it cannot be told now. */
	int (*end)(void *arg, const uint8_t *id, struct claim_conn conn);
	/* Whether that node lives. */
	bool (*lives)(void *arg, uint64_t incarnation);
	/* A random number. */
	uint64_t (*random)(void *arg);
};

struct claims_count {
	uint64_t devices;    /* that are here */
	uint64_t unclaimed;  /* of these, not found by other nodes */
	uint64_t claims;     /* sent so far */
	uint64_t healed;     /* checks that found an entry missing or wrong */
	uint64_t replaced;   /* connections ended because another node has it */
	uint64_t defended;   /* newcomers elsewhere that were told to end */
	uint64_t unrepeated; /* messages for whose repetition there was no room
			      or memory */
	uint64_t delayed;    /* what memory was short for, and is done again */
};

#endif
