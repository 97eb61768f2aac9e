/* SPDX-License-Identifier: MPL-2.0 */

/* The list of the rooms that have metrics. */

#include <stddef.h>

#include "host/sandbox_fit.h"
#include "http/http_metrics.h"
#include "life/drain_metrics.h"
#include "life/metric_tables.h"
#include "log/log.h"
#include "metrics/metrics.h"
#include "metrics/process_metrics.h"
#include "modules/module_metrics.h"
#include "net/net_metrics.h"
#include "peers/listener_metrics.h"
#include "peers/peer_metrics.h"
#include "workers/hang_watch.h"
#include "workers/worker_metrics.h"

/* Exporters show metrics in this order. */
static int (*const tables[])(void) = {
	peer_metrics_init,
	listener_metrics_init,
	worker_metrics_init,
	hang_watch_metrics_init,
	net_metrics_init,
	process_metrics_init,
	drain_metrics_init,
	http_metrics_init,
	module_metrics_init,
	sandbox_metrics_init,
};

int metric_tables_init(unsigned workers)
{
	if (metrics_init(workers) != 0)
		goto error;
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		if (tables[i]() != 0)
			goto error;
	return 0;

error:
	log_core(RELAY_ERROR, "no memory for metrics");
	return -1;
}
