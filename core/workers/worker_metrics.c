/* SPDX-License-Identifier: MPL-2.0 */

/* Metrics of the workers and their loops. */

#include <stddef.h>

#include <strelaysrv/thread.h>

#include "metrics/core_metrics.h"
#include "workers/worker_metrics.h"
#include "workers/workers_state.h"

static const char *const loops[] = {"control", "worker", NULL};

/* The first bound is a delay that the kernel's timers may have anyway. */
static const int64_t lag_us[] = {1000, 2500, 5000, 10000, 25000, 50000, 100000,
	250000, 500000, 1000000, 10000000, 0};

static const struct relay_metric_def defs[] = {
	[WORKER_LOOP_LAG] =
		{
			.name = "loop_lag",
			.unit = "seconds",
			.kind = RELAY_HISTOGRAM,
			.scale = 1000000,
			.help = "Delay of timers, by thread. Connections of "
				"the same thread wait as long.",
			.label = "loop",
			.values = loops,
			.bounds = lag_us,
		},
};

static int64_t workers(void)
{
	return relay_worker_count();
}

static const struct core_lookup lookups[] = {
	{.def =
			{
				.name = "workers",
				.kind = RELAY_GAUGE,
				.help = "Worker threads.",
			},
		.look = workers},
};

int worker_metrics_init(void)
{
	instance->workers->metrics =
		core_metrics_add(defs, WORKER_METRIC_COUNT);
	if (!instance->workers->metrics)
		return -1;
	return core_lookups_add(lookups, sizeof(lookups) / sizeof(lookups[0]));
}

void worker_observe(struct metrics_shard *shard, enum worker_metric which,
	unsigned value, int64_t seen)
{
	core_observe(instance->workers->metrics, shard, which, value, seen);
}
