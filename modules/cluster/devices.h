/* SPDX-License-Identifier: MPL-2.0 */

/* devices.h - devices that join this node and leave it, and their claims. */
#ifndef CLUSTER_DEVICES_H
#define CLUSTER_DEVICES_H

#include <strelaysrv/module.h>

#include "cluster/claims/claims.h"

/* Hooks.  [W] */
void devices_joined(struct relay_ctx *cx, struct relay_conn *conn);
void devices_left(struct relay_ctx *cx, struct relay_conn *conn);
/* What claims do; their argument is the context.  [C] */
extern const struct claims_calls devices_calls;

#endif
