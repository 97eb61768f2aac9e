/* SPDX-License-Identifier: MPL-2.0 */

/* advice.h - warnings about addresses that may be unintended.  [C] */
#ifndef CLUSTER_ADVICE_H
#define CLUSTER_ADVICE_H

struct relay_ctx;

/* The hook of struct relay_hooks. */
void advice_check(struct relay_ctx *cx, const void *conf);
/* After a start and a reload. */
void advice_names(struct relay_ctx *cx);
/* After the own address was looked up: that there is none, or that another node
 * tells the same. */
void advice_place(struct relay_ctx *cx);

#endif
