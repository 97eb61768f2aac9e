/* SPDX-License-Identifier: MPL-2.0 */

/*
 * nodes.h - with the option shared: bans and revoked tokens of the other nodes
 * of a cluster, and whether these have the same lists.  [C]
 */
#ifndef NODES_H
#define NODES_H

#include <strelaysrv/module.h>

#include "bans.h"

int nodes_init(struct relay_ctx *cx, struct relay_err *err);
/* 0, or -1 with err. */
int nodes_start(struct relay_ctx *cx, struct relay_err *err);
void nodes_fini(struct relay_ctx *cx);
/* Other lists are in force, or the options have changed. */
void nodes_again(struct relay_ctx *cx);
/* Each tells the other nodes what a command has done here, and returns what to
 * say about that; NULL: nothing. */
const char *nodes_ban(struct relay_ctx *cx, const struct ban *ban);
const char *nodes_unban(
	struct relay_ctx *cx, const uint8_t id[RELAY_DEVICE_ID_LEN]);
const char *nodes_revoke(struct relay_ctx *cx, const char *name);

#endif
