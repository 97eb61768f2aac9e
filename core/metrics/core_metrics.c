/* SPDX-License-Identifier: MPL-2.0 */

/* The server's own metrics: registers the tables of the rooms. */

#include <stddef.h>

#include "metrics/core_metrics.h"
#include "metrics/metrics.h"

int core_metrics_add(const struct core_metrics *all)
{
	for (unsigned i = 0; i < all->count; i++) {
		all->handles[i] = metrics_add_core(&all->defs[i]);
		if (!all->handles[i])
			return -1;
	}
	return 0;
}

void core_count(const struct core_metrics *all, struct metrics_shard *shard,
	unsigned which, unsigned value, int64_t by)
{
	if (all->handles[which])
		metrics_count(shard, all->handles[which], value, by);
}

void core_observe(const struct core_metrics *all, struct metrics_shard *shard,
	unsigned which, unsigned value, int64_t seen)
{
	if (all->handles[which])
		metrics_observe(shard, all->handles[which], value, seen);
}

int core_lookups_add(const struct core_lookup *lookups, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (!metrics_add_lookup(&lookups[i].def, lookups[i].look))
			return -1;
	return 0;
}
