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

/*
 * [C]  Registers metrics that a room counts itself, after metrics_init() and
 * before threads start.  Returns the array of their handles, which the caller
 * frees with free(); NULL, logged, if memory runs out.
 */
struct relay_metric **core_metrics_add(
	const struct relay_metric_def *defs, unsigned count);

/* Own shard.  `which` is an index into what core_metrics_add() returned; while
 * that is NULL, both do nothing. */
void core_count(struct relay_metric *const *all, struct metrics_shard *shard,
	unsigned which, unsigned value, int64_t by);
void core_observe(struct relay_metric *const *all, struct metrics_shard *shard,
	unsigned which, unsigned value, int64_t seen);

/* A metric whose value is looked up when metrics are read. */
struct core_lookup {
	struct relay_metric_def def; /* without `read` */
	int64_t (*look)(void);       /* [C] */
};

/* [C]  As core_metrics_add().  0, or -1 logged. */
int core_lookups_add(const struct core_lookup *lookups, unsigned count);

#endif
