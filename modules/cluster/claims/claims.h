/* SPDX-License-Identifier: MPL-2.0 */

/*
 * claims.h - the devices that have joined this node, and what the registry
 * knows of them.  [C]
 *
 * Pure: time and chance are passed in, and everything that it does is a call of
 * struct claims_calls.
 *
 * A device that joins is claimed at once; its join does not wait for that.  A
 * claim that the registry did not take is tried again, with a growing pause.
 * All claims are checked again within CLAIMS_CHECK_MS, and at once, in a random
 * order over CLAIMS_BACK_MS, when the registry is back and may have lost some.
 *
 * Two nodes with one device.  The node whose claim has replaced another tells
 * that one (CLAIMED), and it asks its connection for a sign of life.  If none
 * comes, the connection ends.  If one comes, that node claims the device anew,
 * so that the registry points to it, and answers ALIVE: then the newcomer ends.
 * So the older connection wins if it lives, as on one machine, where a newcomer
 * is refused while the old connection answers a ping.  If the newer one won,
 * two live connections would replace each other for ever, since a device whose
 * connection ends joins again.
 *
 * A message that is lost is repeated twice, CLAIMED and ALIVE after
 * CLAIMS_REPEAT_MS each; if all are lost, the next check of either node finds
 * the other's claim.  Of messages that are doubled, late or out of order, the
 * epoch tells: a claim always gets an epoch above all that this node has heard
 * of, of whichever device, so an old message never fits a new claim, even if
 * the registry has forgotten the device in between.
 *
 * Two nodes have one device for 15 s at most after the last thing that happened
 * to it, and a device with a live connection is found again after 10 s at most;
 * after CLAIMS_CHECK_MS and 15 s where the registry has lost an entry or an
 * answer in silence, or a message was lost three times, or its sender has died.
 * While memory is short, what fails is done again every CLAIMS_AGAIN_MS, so the
 * time counts from when there is some.  A message that cannot be repeated for
 * that reason counts as lost three times.
 * tests/schedules/cluster shows that.
 */
#ifndef CLUSTER_CLAIMS_H
#define CLUSTER_CLAIMS_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/claims/claim_calls.h"
#include "cluster/registry.h"

struct claims; /* opaque */

/* `calls` is kept.  NULL: no memory, or no random seed for the hash. */
struct claims *claims_new(
	uint64_t self, const struct claims_calls *calls, void *arg);
/* Releases nothing: what the registry has is void with the node's lease. */
void claims_free(struct claims *claims);

/* A device has joined, or has another connection now.  -1: no memory; it is not
 * known to other nodes then, and the caller logs it.  It may be called again
 * later. */
int claims_joined(struct claims *claims, const uint8_t *id,
	struct claim_conn conn, int64_t now_ms);
/* Ignored unless it is the device's present connection, so it may come after
 * the join of the next one, which another worker has. */
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
/*
 * News of joins, leaves or signs of life may have been lost for want of memory.
 * claims_recount(); claims_seen() for each device that is here, which is as
 * claims_joined(), but without effect on one that is known already; then
 * claims_recounted(): those that were not seen have left, and the others whose
 * sign of life is awaited are asked again.
 */
void claims_recount(struct claims *claims);
int claims_seen(struct claims *claims, const uint8_t *id,
	struct claim_conn conn, int64_t now_ms);
void claims_recounted(struct claims *claims, int64_t now_ms);
/* Another node's ask came for a device that is not here.  If the registry still
 * has an entry (a release was lost, as the registry does not answer it), that
 * is released.  If the device is still in this table (the news of its leave was
 * lost), its connection is asked for a sign of life. */
void claims_missed(struct claims *claims, const uint8_t *id);

/* Work that is due.  Returns the milliseconds until the next call, 1 or more.
 */
int64_t claims_tick(struct claims *claims, int64_t now_ms);

bool claims_has(const struct claims *claims, const uint8_t *id);
void claims_counts(const struct claims *claims, struct claims_count *out);

#endif
