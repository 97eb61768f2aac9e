/* SPDX-License-Identifier: MPL-2.0 */

/* Metrics of a drain: what it waits for, and until when. */

#include <stddef.h>

#include <strelaysrv/server.h>

#include "life/drain.h"
#include "life/drain_metrics.h"
#include "metrics/core_metrics.h"

static int64_t draining(void)
{
	return relay_draining();
}

static int64_t time_left_ms(void)
{
	int64_t left_ms = drain_left_ms();

	return left_ms < 0 ? 0 : left_ms;
}

static const struct core_lookup lookups[] = {
	{.def =
			{
				.name = "draining",
				.kind = RELAY_GAUGE,
				.help = "1: draining, the server accepts no "
					"new devices; 2: draining, a new "
					"process has taken over; 0: not "
					"draining.",
			},
		.look = draining},
	{.def =
			{
				.name = "drain_left",
				.kind = RELAY_GAUGE,
				.help = "Sessions, peers and pending "
					"sessions that a drain still waits "
					"for.",
			},
		.look = drain_left},
	{.def =
			{
				.name = "drain_time_left",
				.unit = "seconds",
				.kind = RELAY_GAUGE,
				.scale = 1000,
				.help = "Time until a drain ends what is "
					"left. 0 if there is no drain, or "
					"drain-timeout is 0.",
			},
		.look = time_left_ms},
};

int drain_metrics_init(void)
{
	return core_lookups_add(lookups, sizeof(lookups) / sizeof(lookups[0]));
}
