/* SPDX-License-Identifier: MPL-2.0 */

/* The server's own metrics that are looked up when somebody asks. */

#include <stddef.h>

#include <strelaysrv/server.h>
#include <strelaysrv/thread.h>

#include "net/capacity.h"
#include "metrics/core_lookups.h"
#include "life/drain.h"
#include "net/kernel_memory.h"
#include "log/log.h"
#include "metrics/metrics.h"
#include "loop/process.h"

static const char *versions[] = {NULL, NULL};

static int64_t read_log_dropped(struct relay_ctx *cx, unsigned value)
{
	(void)cx;
	(void)value;
	return log_dropped();
}

static int64_t read_memory_limit(struct relay_ctx *cx, unsigned value)
{
	(void)cx;
	(void)value;
	return kernel_memory_limit();
}

static int64_t read_workers(struct relay_ctx *cx, unsigned value)
{
	(void)cx;
	(void)value;
	return relay_worker_count();
}

static int64_t read_threads(struct relay_ctx *cx, unsigned value)
{
	(void)cx;
	(void)value;
	return process_threads();
}

static int64_t read_descriptors(struct relay_ctx *cx, unsigned value)
{
	(void)cx;
	(void)value;
	return process_descriptors();
}

static int64_t read_limit(struct relay_ctx *cx, unsigned value)
{
	(void)cx;
	(void)value;
	return process_descriptor_limit();
}

static int64_t read_resident(struct relay_ctx *cx, unsigned value)
{
	(void)cx;
	(void)value;
	return process_resident_bytes();
}

static int64_t read_cpu(struct relay_ctx *cx, unsigned value)
{
	(void)cx;
	(void)value;
	return process_cpu_us();
}

static int64_t read_start(struct relay_ctx *cx, unsigned value)
{
	(void)cx;
	(void)value;
	return relay_start_us();
}

static int64_t read_build(struct relay_ctx *cx, unsigned value)
{
	(void)cx;
	(void)value;
	return 1;
}

static int64_t read_over_limit(struct relay_ctx *cx, unsigned value)
{
	(void)cx;
	(void)value;
	return relay_over_limit();
}

static int64_t read_connection_limit(struct relay_ctx *cx, unsigned value)
{
	(void)cx;
	(void)value;
	return capacity_limit();
}

static int64_t read_draining(struct relay_ctx *cx, unsigned value)
{
	(void)cx;
	(void)value;
	return relay_draining();
}

static int64_t read_drain_left(struct relay_ctx *cx, unsigned value)
{
	(void)cx;
	(void)value;
	return drain_left();
}

static int64_t read_drain_time(struct relay_ctx *cx, unsigned value)
{
	int64_t left_ms = drain_left_ms();

	(void)cx;
	(void)value;
	return left_ms < 0 ? 0 : left_ms;
}

static const struct relay_metric_def table[] = {
	{
		.name = "session_memory_limit",
		.unit = "bytes",
		.kind = RELAY_GAUGE,
		.help = "Above how much kernel memory of all sessions "
			"those that hold most are ended, and none begin.",
		.read = read_memory_limit,
	},
	{
		.name = "log_dropped",
		.kind = RELAY_COUNTER,
		.help = "Log records that were lost for want of room.",
		.read = read_log_dropped,
	},
	{
		.name = "workers",
		.kind = RELAY_GAUGE,
		.help = "Worker threads.",
		.read = read_workers,
	},
	{
		.name = "threads",
		.kind = RELAY_GAUGE,
		.help = "Threads of the process.",
		.read = read_threads,
	},
	{
		.name = "open_descriptors",
		.kind = RELAY_GAUGE,
		.help = "Open file descriptors.",
		.read = read_descriptors,
	},
	{
		.name = "descriptor_limit",
		.kind = RELAY_GAUGE,
		.help = "How many file descriptors may be open.",
		.read = read_limit,
	},
	{
		.name = "resident_memory",
		.unit = "bytes",
		.kind = RELAY_GAUGE,
		.help = "Memory of the process that is in RAM.",
		.read = read_resident,
	},
	{
		.name = "cpu_time",
		.unit = "seconds",
		.kind = RELAY_COUNTER,
		.scale = 1000000,
		.help = "Processor time of all threads.",
		.read = read_cpu,
	},
	{
		.name = "start_time",
		.unit = "seconds",
		.kind = RELAY_GAUGE,
		.scale = 1000000,
		.help = "When the process started, since 1970.",
		.read = read_start,
	},
	{
		.name = "build_info",
		.kind = RELAY_GAUGE,
		.help = "1, labelled with the version that runs.",
		.label = "version",
		.values = versions,
		.read = read_build,
	},
	{
		.name = "over_limit",
		.kind = RELAY_GAUGE,
		.help = "Whether there are more connections than "
			"max-connections, not counting strangers.",
		.read = read_over_limit,
	},
	{
		.name = "connection_limit",
		.kind = RELAY_GAUGE,
		.help = "Above how many connections newcomers are "
			"refused.",
		.read = read_connection_limit,
	},
	{
		.name = "draining",
		.kind = RELAY_GAUGE,
		.help = "1: the server takes no newcomers and ends "
			"with its last session; 2: so, and a new "
			"process has taken over.",
		.read = read_draining,
	},
	{
		.name = "drain_left",
		.kind = RELAY_GAUGE,
		.help = "Sessions, peers and promises that a drain "
			"waits for.",
		.read = read_drain_left,
	},
	{
		.name = "drain_time_left",
		.unit = "seconds",
		.kind = RELAY_GAUGE,
		.scale = 1000,
		.help = "Until a drain ends what it still waits for; 0 "
			"without a drain, and with one that waits for "
			"ever.",
		.read = read_drain_time,
	},
};

int core_lookups_init(void)
{
	versions[0] = relay_build()->version;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (!metrics_add_core(&table[i]))
			return -1;
	return 0;
}
