/* SPDX-License-Identifier: MPL-2.0 */

/* nodes_lists.h - whether the other nodes of a cluster have the same lists and
 * tokens in force.  [C] */
#ifndef NODES_LISTS_H
#define NODES_LISTS_H

#include <strelaysrv/module.h>
#include <strelaysrv/shared_table.h>

/* Each second. */
void nodes_lists_look(struct relay_ctx *cx,
	const struct relay_shared_tables *tables, struct relay_ctx *self);

#endif
