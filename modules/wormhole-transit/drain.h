/* SPDX-License-Identifier: MPL-2.0 */

/*
 * drain.h - a drain: clients that wait are passed on to the new process of an
 * upgrade, and have little time left if there is none.
 */
#ifndef DRAIN_H
#define DRAIN_H

#include "wormhole-transit/data.h"

/* The hook `drain`.  [C] */
int64_t drain_notice(struct relay_ctx *cx, enum relay_drain how);
/* A client begins to wait, maybe during a drain.  [W] */
void drain_waits(struct relay_ctx *cx, struct relay_conn *conn);

#endif
