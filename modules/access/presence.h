/* SPDX-License-Identifier: MPL-2.0 */

/*
 * presence.h - which devices are here by which named token, and what the module
 * rate-limit was told of them.
 *
 * A device that has left is known until what it was invited to has been
 * withdrawn and its sessions have ended: until then its token counts for
 * sessions that begin, and its rate for those that run.
 */
#ifndef PRESENCE_H
#define PRESENCE_H

#include <strelaysrv/module.h>

#include "shared/id_hash.h"
#include "accounts_state.h"

/* A device; the newest of its connections counts. */
struct presence {
	UT_hash_handle hh;
	struct presence *next, *prev; /* utlist: here, in accounts->changed or
					 none; else in one of the others */
	struct account *account;
	unsigned holders; /* connections; 0: it has left */
	unsigned sessions;
	bool kept;      /* it has left, but for its sessions: no list has it,
			   or accounts->changed */
	bool changed;   /* it is in accounts->changed */
	bool withdrawn; /* it is in accounts->withdrawn */
	bool limited;   /* rate-limit knows it */
	unsigned told;  /* accounts->generation of what it knows; 0: it is of
			   another account */
	bool evicted;   /* a command ends it */
	unsigned ends;  /* account->ends when its invitations were withdrawn
			 */
	uint8_t id[ID_LEN];
};

/* With the lock of accounts held: */

/* One more connection of the device.  NULL: memory is short. */
struct presence *presence_enter(
	struct accounts *accounts, const uint8_t *id, struct account *account);
/* Whether its rate and weight are in force, and its quota is known. */
bool presence_in_force(
	const struct accounts *accounts, const struct presence *presence);
/* One less. */
void presence_leave(struct accounts *accounts, struct presence *presence);
/* One of its sessions has ended. */
void presence_session_over(
	struct accounts *accounts, struct presence *presence);
/* NULL: it is not known. */
struct presence *presence_find(struct accounts *accounts, const uint8_t *id);

/* Whether rate-limit has what its name says, or does not run.  [C] */
bool presence_limited(struct relay_ctx *cx, const struct presence *presence);

/* Without the lock: */

/* Has presence_tell() called on the control thread.  [*] */
void presence_tell_soon(struct relay_ctx *cx);
/* Tells rate-limit what has changed.  [C] */
void presence_tell(struct relay_ctx *cx);
/* All have changed: the terms, or the module rate-limit.  [C] */
void presence_tell_all(struct relay_ctx *cx);

/* The name by which the device is here; false: by none.  [*] */
bool presence_name(
	struct relay_ctx *cx, const uint8_t *id, char out[TOKEN_NAME_TEXT]);

/* Withdraws the invitations of devices whose tokens are over now.  [C] */
void presence_withdraw(struct relay_ctx *cx);
/* And of those that have left by a name with limits, which are forgotten at the
 * next call if they are in no session: one for which both have shown their keys
 * may be about to begin.  [C] */
void presence_sweep(struct relay_ctx *cx);
/* Devices of a revoked account that this has not returned yet, and how many, up
 * to `most`.  [C] */
size_t presence_evict(struct relay_ctx *cx, const char *name,
	uint8_t ids[][RELAY_DEVICE_ID_LEN], size_t most);

#endif
