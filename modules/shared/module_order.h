/* SPDX-License-Identifier: MPL-2.0 */

/*
 * module_order.h - whether the operator has named modules in the order that
 * they need.
 */
#ifndef MODULE_ORDER_H
#define MODULE_ORDER_H

struct relay_ctx;

/* Warns if `modules` names `first` after `then`, with what goes wrong.  [C] In
 * advise, ready and reload. */
void module_order_advise(struct relay_ctx *cx, const char *first,
	const char *then, const char *wrong);

#endif
