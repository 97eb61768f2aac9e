/* SPDX-License-Identifier: MPL-2.0 */

/* Metrics of listening sockets, and of the bounds on descriptors and memory. */

#include <stddef.h>

#include <strelaysrv/server.h>

#include "base/instance.h"
#include "metrics/core_metrics.h"
#include "net/capacity.h"
#include "net/kernel_memory.h"
#include "net/net_metrics.h"
#include "net/net_state.h"

static const char *const accept_kinds[] = {
	"descriptors", "memory", "other", NULL};

static const struct relay_metric_def defs[] = {
	[NET_ACCEPT_ERRORS] =
		{
			.name = "accept_errors",
			.kind = RELAY_COUNTER,
			.help = "Errors of accept(), by the resource "
				"that was exhausted.",
			.label = "kind",
			.values = accept_kinds,
		},
};

static int64_t over_limit(void)
{
	return relay_over_limit();
}

static const struct core_lookup lookups[] = {
	{.def =
			{
				.name = "session_memory_limit",
				.unit = "bytes",
				.kind = RELAY_GAUGE,
				.help = "Limit on the memory that the kernel "
					"holds for all sessions. Above it, "
					"the sessions that hold most are "
					"ended.",
			},
		.look = kernel_memory_limit},
	{.def =
			{
				.name = "over_limit",
				.kind = RELAY_GAUGE,
				.help = "1: there are more connections than "
					"max-connections allows, not "
					"counting strangers.",
			},
		.look = over_limit},
	{.def =
			{
				.name = "connection_limit",
				.kind = RELAY_GAUGE,
				.help = "Limit on connections. Above it, new "
					"ones are refused.",
			},
		.look = capacity_limit},
};

int net_metrics_init(void)
{
	instance->net->metrics = core_metrics_add(defs, NET_METRIC_COUNT);
	if (!instance->net->metrics)
		return -1;
	return core_lookups_add(lookups, sizeof(lookups) / sizeof(lookups[0]));
}

void net_count(struct metrics_shard *shard, enum net_metric which,
	unsigned value, int64_t by)
{
	core_count(instance->net->metrics, shard, which, value, by);
}
