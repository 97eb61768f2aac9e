/* SPDX-License-Identifier: MPL-2.0 */

/* own_node.h - what this node tells the others of itself, and its lease.  [C]
 */
#ifndef CLUSTER_OWN_NODE_H
#define CLUSTER_OWN_NODE_H

#include <stdint.h>

struct relay_ctx;

/* Renews the lease now, and from now on every third of it, and when the address
 * changes.  0, or -1 without memory for the timer. */
int own_node_start(struct relay_ctx *cx);
/* The registry is back, or what others must know has changed. */
void own_node_renew(struct relay_ctx *cx);
/* Sends the lease to one node, whose HELLO has that counter. */
void own_node_tell(struct relay_ctx *cx, uint64_t to, uint64_t hello);
/* Ends it: the other nodes know at once. */
void own_node_end(struct relay_ctx *cx);
/* In stop: the address is not watched any more. */
void own_node_unwatch(struct relay_ctx *cx);

#endif
