/* SPDX-License-Identifier: MPL-2.0 */

/* Counts the old process's traffic in the new process. */

#include <stddef.h>
#include <stdint.h>

#include <strelaysrv/metric.h>

#include "base/instance.h"
#include "life/handover.h"
#include "life/life_state.h"
#include "life/upgrade_traffic.h"

static int64_t traffic(void)
{
	return relay_metric_value(NULL, "core", "session_traffic", NULL);
}

void upgrade_traffic_begin(void)
{
	instance->life->upgrade.traffic_sent = traffic();
}

void upgrade_traffic_tell(int channel)
{
	int64_t total = traffic(),
		more = total - instance->life->upgrade.traffic_sent;

	if (more > 0 && channel >= 0 &&
		handover_send(channel, HANDOVER_TRAFFIC, &more, sizeof(more),
			-1) == 0)
		instance->life->upgrade.traffic_sent = total;
}
