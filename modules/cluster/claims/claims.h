/* SPDX-License-Identifier: MPL-2.0 */

/*
 * claims.h - the devices that have joined this node, and what the registry
 * knows of them.  [C]
 *
 * Pure: time and chance are passed in, and everything that it does is a call of
 * struct claims_calls.
 *
 * A device that joins is claimed at once; its join does not wait for that.  If
 * another live node had it, that node is told (CLAIMED), asks its connection
 * for a sign of life and answers ALIVE if there is one: then the newcomer ends,
 * as it does on one machine.  A claim that the registry did not take is tried
 * again.  All claims are checked again within CLAIMS_CHECK_MS, and at once, in
 * a random order over CLAIMS_BACK_MS, when the registry is back and may have
 * lost some.
 */
#ifndef CLUSTER_CLAIMS_H
#define CLUSTER_CLAIMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/registry.h"

#define CLAIMS_CHECK_MS 240000
#define CLAIMS_BACK_MS  2000
/* Claims under way at the same time; more wait for their turn. */
#define CLAIMS_FLIGHT 2000

/* A connection here. */
struct claim_conn {
	int worker;
	uint64_t conn;
};

struct claims_calls {
	/* As in struct registry_ops. */
	int (*claim)(void *arg, const uint8_t *id, enum claim_how how,
		uint64_t epoch);
	int (*release)(void *arg, const uint8_t *id);
	/* Messages; lost ones are repeated by the next check. */
	void (*tell_claimed)(void *arg, uint64_t incarnation, const uint8_t *id,
		uint64_t epoch);
	void (*tell_alive)(void *arg, uint64_t incarnation, const uint8_t *id,
		uint64_t epoch);
	/* Asks the connection for a sign of life; claims_probed() follows, or
	 * claims_left().  -1: cannot be asked now. */
	int (*probe)(void *arg, const uint8_t *id, struct claim_conn conn);
	/* Ends the connection: another node has the device. */
	void (*end)(void *arg, const uint8_t *id, struct claim_conn conn);
	/* Whether that node lives. */
	bool (*lives)(void *arg, uint64_t incarnation);
	/* A random number. */
	uint64_t (*random)(void *arg);
};

struct claims; /* opaque */

struct claims_count {
	uint64_t devices;   /* in the table */
	uint64_t unclaimed; /* of these, not known to the registry */
	uint64_t claims;    /* sent so far */
	uint64_t healed;    /* checks that found an entry missing or wrong */
	uint64_t replaced;  /* connections ended because another node has it */
	uint64_t defended;  /* newcomers elsewhere that were told to end */
};

/* NULL: no memory. */
struct claims *claims_new(
	uint64_t self, const struct claims_calls *calls, void *arg);
void claims_free(struct claims *claims);

/* A device has joined, or has another connection now.  -1: no memory; it is not
 * known to other nodes then, and the caller logs it. */
int claims_joined(struct claims *claims, const uint8_t *id,
	struct claim_conn conn, int64_t now_ms);
/* Ignored unless it is the device's present connection. */
void claims_left(struct claims *claims, const uint8_t *id,
	struct claim_conn conn, int64_t now_ms);

/* From struct registry_calls. */
void claims_claimed(struct claims *claims, const uint8_t *id,
	const struct owner *before, const struct owner *now_owner,
	int64_t now_ms);
void claims_back(struct claims *claims, bool whole, int64_t now_ms);
void claims_away(struct claims *claims, int64_t now_ms);

/* Messages. */
void claims_told_claimed(struct claims *claims, uint64_t from,
	const uint8_t *id, uint64_t epoch, int64_t now_ms);
void claims_told_alive(struct claims *claims, uint64_t from, const uint8_t *id,
	uint64_t epoch, int64_t now_ms);
/* The sign of life has come, or not in time. */
void claims_probed(struct claims *claims, const uint8_t *id,
	struct claim_conn conn, bool alive, int64_t now_ms);
/* This node's own lease was over for a while: others may have ignored its
 * entries; all are checked at once. */
void claims_lapsed(struct claims *claims, int64_t now_ms);

/* Work that is due.  Returns the milliseconds until the next call, 1 or more.
 */
int64_t claims_tick(struct claims *claims, int64_t now_ms);

bool claims_has(const struct claims *claims, const uint8_t *id);
void claims_counts(const struct claims *claims, struct claims_count *out);

#endif
