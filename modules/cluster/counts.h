/* SPDX-License-Identifier: MPL-2.0 */

/* counts.h - the metrics. */
#ifndef CLUSTER_COUNTS_H
#define CLUSTER_COUNTS_H

#include <strelaysrv/module.h>

/* 0, or -1 with err.  [C] init */
int counts_init(struct relay_ctx *cx, struct relay_err *err);
#endif
