/* SPDX-License-Identifier: MPL-2.0 */

/* named.h - the nodes that live, by name: this one first.  [C] */
#ifndef CLUSTER_NAMED_H
#define CLUSTER_NAMED_H

#include <stdint.h>

#include <strelaysrv/module.h>

#include "cluster/messages/message.h"

/* Nodes have come, gone or changed: their names become labels. */
void named_again(struct relay_ctx *cx);
/* The node that is named `nth`.  NULL: it lives no more. */
const struct node_facts *named_facts(struct relay_ctx *cx, unsigned nth);
/* How many live and are in that state; NODE_STATES: in any. */
int64_t named_in_state(struct relay_ctx *cx, enum node_state state);

#endif
