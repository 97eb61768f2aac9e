/* SPDX-License-Identifier: MPL-2.0 */

/* Metrics of the process: its version, lost log records, the kernel's figures.
 */

#include <stddef.h>

#include <strelaysrv/server.h>

#include "log/log.h"
#include "loop/process_usage.h"
#include "loop/blocking_task.h"
#include "metrics/core_metrics.h"
#include "metrics/metrics.h"
#include "metrics/process_metrics.h"

static int64_t one(void)
{
	return 1;
}

static int64_t file_threads(void)
{
	return (int64_t)task_threads();
}

static const struct core_lookup lookups[] = {
	{.def =
			{
				.name = "log_dropped",
				.kind = RELAY_COUNTER,
				.help = "Log records that were dropped "
					"because the queue was full, or "
					"could not be written.",
			},
		.look = log_dropped},
	{.def =
			{
				.name = "descriptor_limit",
				.kind = RELAY_GAUGE,
				.help = "Limit on open file descriptors.",
			},
		.look = process_descriptor_limit},
	{.def =
			{
				.name = "cpu_time",
				.unit = "seconds",
				.kind = RELAY_COUNTER,
				.scale = 1000000,
				.help = "CPU time of all threads.",
			},
		.look = process_cpu_us},
	{.def =
			{
				.name = "start_time",
				.unit = "seconds",
				.kind = RELAY_GAUGE,
				.scale = 1000000,
				.help = "Start time of the process, since "
					"1970.",
			},
		.look = relay_start_us},
};

/* These are read from /proc. */
static const struct core_lookup proc_lookups[] = {
	{.def =
			{
				.name = "threads",
				.kind = RELAY_GAUGE,
				.help = "Threads of the process.",
			},
		.look = process_threads},
	{.def =
			{
				.name = "file_threads",
				.kind = RELAY_GAUGE,
				.help = "Threads that read or write files that "
					"options name.",
			},
		.look = file_threads},
	{.def =
			{
				.name = "file_hangs",
				.kind = RELAY_COUNTER,
				.help = "How often one of them was found to "
					"wait for a file for 10 s.",
			},
		.look = tasks_hung},
	{.def =
			{
				.name = "open_descriptors",
				.kind = RELAY_GAUGE,
				.help = "Open file descriptors.",
			},
		.look = process_descriptors},
	{.def =
			{
				.name = "resident_memory",
				.unit = "bytes",
				.kind = RELAY_GAUGE,
				.help = "Memory of the process that is in RAM.",
			},
		.look = process_resident_bytes},
};

/* The description may be local: the registry copies it with the label's values.
 */
static int add_build_info(void)
{
	const char *const versions[] = {relay_build()->version, NULL};
	const struct relay_metric_def def = {
		.name = "build_info",
		.kind = RELAY_GAUGE,
		.help = "Always 1; the label is the version "
			"that runs.",
		.label = "version",
		.values = versions,
	};

	return metrics_add_lookup(&def, one) ? 0 : -1;
}

/* 0 would be a wrong number, so unknown metrics are left out. */
static int add_proc(void)
{
	if (process_resident_bytes() > 0)
		return core_lookups_add(proc_lookups,
			sizeof(proc_lookups) / sizeof(proc_lookups[0]));
	log_core(RELAY_WARNING,
		"there is no /proc: the metrics threads, open_descriptors and "
		"resident_memory are missing, and session-memory follows from "
		"the RAM unless it is set");
	return 0;
}

int process_metrics_init(void)
{
	if (core_lookups_add(lookups, sizeof(lookups) / sizeof(lookups[0])) ||
		add_proc())
		return -1;
	return add_build_info();
}
