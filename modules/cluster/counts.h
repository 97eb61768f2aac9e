/* SPDX-License-Identifier: MPL-2.0 */

/* counts.h - the metrics. */
#ifndef CLUSTER_COUNTS_H
#define CLUSTER_COUNTS_H

#include <strelaysrv/module.h>

enum count {
	COUNT_SENT,
	COUNT_UNSENT,
	COUNT_RECEIVED,
	COUNT_REJECTED,
	COUNT_REPLAYED,
	COUNT_LATE_ANSWERS,
	COUNT_ASKS,
	COUNT_ASK_TIME,
	COUNT_ANSWERED,
	COUNT_LOST,
	COUNT_REACHABLE,
	COUNT_DEVICES,
	COUNT_UNCLAIMED,
	COUNT_CLAIMS,
	COUNT_HEALED,
	COUNT_REPLACED,
	COUNT_DEFENDED,
	COUNT_NODES,
	COUNT_NODE_SESSIONS,
	COUNT_NODE_RATE,
	COUNTS
};

/* 0, or -1 with err.  [C] init */
int counts_init(struct relay_ctx *cx, struct relay_err *err);
#endif
