/* SPDX-License-Identifier: MPL-2.0 */

/*
 * finding.h - requests of this node's clients for devices that are elsewhere.
 *
 * A request for a device whose node does not answer, or says that it has just
 * left, waits in the relay module as one for a device that has left here
 * (park-asks).  One for a device that nobody has does not wait, although it may
 * be on its way from one node to another: to know that, the registry would have
 * to keep an entry of each device that has left, and most requests are for
 * devices that have been away for long.
 */
#ifndef CLUSTER_FINDING_H
#define CLUSTER_FINDING_H

#include <strelaysrv/module.h>

#include "cluster/asks/asks.h"

/* The hook peer_find.  [W] */
enum relay_verdict finding_peer_find(struct relay_ctx *cx,
	struct relay_conn *conn, const uint8_t *target,
	struct relay_found *found, struct relay_denial *why);

/* What asks do; their argument is the context.  [C] */
extern const struct asks_calls finding_calls;

#endif
