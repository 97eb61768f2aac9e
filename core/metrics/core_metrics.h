/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The server's own metrics, under the module name "core".  Each room has its
 * own tables of metrics and registers them at the start.
 */
#ifndef CORE_METRICS_H
#define CORE_METRICS_H

#include <stdint.h>

#include <strelaysrv/metric.h>

struct metrics_shard;

/* Metrics that a room counts itself. */
struct core_metrics {
	const struct relay_metric_def *defs;
	struct relay_metric **handles; /* `count` of them; initially NULL */
	unsigned count;
};

/* [C] after metrics_init(), before threads start.  0, or -1 logged. */
int core_metrics_add(const struct core_metrics *all);

/* Own shard.  Both do nothing before core_metrics_add(). */
void core_count(const struct core_metrics *all, struct metrics_shard *shard,
	unsigned which, unsigned value, int64_t by);
void core_observe(const struct core_metrics *all, struct metrics_shard *shard,
	unsigned which, unsigned value, int64_t seen);

/* A metric whose value is looked up when metrics are read. */
struct core_lookup {
	struct relay_metric_def def; /* without `read` */
	int64_t (*look)(void);       /* [C] */
};

/* [C]  As core_metrics_add(). */
int core_lookups_add(const struct core_lookup *lookups, unsigned count);

#endif
