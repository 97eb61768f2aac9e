/* SPDX-License-Identifier: MPL-2.0 */

/* finding.h - requests of this node's clients for devices that are elsewhere.
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
