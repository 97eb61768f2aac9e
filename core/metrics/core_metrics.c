/* SPDX-License-Identifier: MPL-2.0 */

/* The server's own metrics: registers the tables of the rooms. */

#include <stdlib.h>

#include "log/log.h"
#include "metrics/core_metrics.h"
#include "metrics/metrics.h"

struct relay_metric **core_metrics_add(
	const struct relay_metric_def *defs, unsigned count)
{
	struct relay_metric **all = calloc(count, sizeof(*all));

	if (!all) {
		log_core(RELAY_ERROR, "no memory for metrics");
		return NULL;
	}
	for (unsigned i = 0; i < count; i++) {
		all[i] = metrics_add_core(&defs[i]);
		if (!all[i]) {
			free(all);
			return NULL;
		}
	}
	return all;
}

void core_count(struct relay_metric *const *all, struct metrics_shard *shard,
	unsigned which, unsigned value, int64_t by)
{
	if (all)
		metrics_count(shard, all[which], value, by);
}

void core_observe(struct relay_metric *const *all, struct metrics_shard *shard,
	unsigned which, unsigned value, int64_t seen)
{
	if (all)
		metrics_observe(shard, all[which], value, seen);
}

int core_lookups_add(const struct core_lookup *lookups, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (!metrics_add_lookup(&lookups[i].def, lookups[i].look))
			return -1;
	return 0;
}
