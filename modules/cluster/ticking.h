/* SPDX-License-Identifier: MPL-2.0 */

/* ticking.h - the timer of claims, asks and leases of others; chance.  [C] */
#ifndef CLUSTER_TICKING_H
#define CLUSTER_TICKING_H

struct relay_ctx;

/* 0, or -1 without memory. */
int ticking_start(struct relay_ctx *cx);
/* There may be work that is due earlier than the timer. */
void ticking_soon(struct relay_ctx *cx);

#endif
