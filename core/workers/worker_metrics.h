/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Metrics of the workers and their loops.
 */
#ifndef WORKER_METRICS_H
#define WORKER_METRICS_H

#include <stdint.h>

struct metrics_shard;

enum worker_metric {
	WORKER_LOOP_LAG, /* histogram, us, by enum worker_loop_label */
	WORKER_METRIC_COUNT
};

enum worker_loop_label { WORKER_LOOP_CONTROL, WORKER_LOOP_WORKER };

/* [C] after metrics_init(), before threads start.  0, or -1 logged. */
int worker_metrics_init(void);

/* Own shard.  Does nothing before worker_metrics_init(). */
void worker_observe(struct metrics_shard *shard, enum worker_metric which,
	unsigned value, int64_t seen);

#endif
