/* SPDX-License-Identifier: MPL-2.0 */

/* Metrics about the modules themselves. */

#include <stddef.h>

#include "modules/catalog.h"
#include "log/log.h"
#include "metrics/metrics.h"
#include "modules/module_metrics.h"
#include "modules/modules_state.h"

/* The label's values until the first configuration is in force. */
static const char *const nobody[] = {"none", NULL};

/* In place of a module that was not found, which `required = no` allows. */
static const struct relay_module absent;

static const struct relay_module *module_at(unsigned value)
{
	const struct modules_state *modules = instance->modules;
	const struct relay_module *mod = NULL;

	if (modules->catalog)
		mod = catalog_find(modules->catalog, modules->names[value]);
	return mod ? mod : &absent;
}

static int64_t read_up(struct relay_ctx *cx, unsigned value)
{
	(void)cx;
	return module_visible(module_at(value));
}

static int64_t read_failures(struct relay_ctx *cx, unsigned value)
{
	(void)cx;
	return atomic_load_explicit(
		&module_at(value)->failures, memory_order_relaxed);
}

static int64_t read_slow(struct relay_ctx *cx, unsigned value)
{
	(void)cx;
	return atomic_load_explicit(
		&module_at(value)->slow_calls, memory_order_relaxed);
}

static int64_t read_hangs(struct relay_ctx *cx, unsigned value)
{
	(void)cx;
	return atomic_load_explicit(
		&module_at(value)->hangs, memory_order_relaxed);
}

static int64_t read_sessions(struct relay_ctx *cx, unsigned value)
{
	(void)cx;
	return atomic_load_explicit(
		&module_at(value)->sessions, memory_order_relaxed);
}

static int64_t read_traffic(struct relay_ctx *cx, unsigned value)
{
	(void)cx;
	return atomic_load_explicit(
		&module_at(value)->session_traffic, memory_order_relaxed);
}

static const struct relay_metric_def up = {
	.name = "module_up",
	.kind = RELAY_GAUGE,
	.help = "1: the module runs. 0: the configuration "
		"names it, but it does not run.",
	.label = "module",
	.values = nobody,
	.read = read_up,
};
static const struct relay_metric_def failures = {
	.name = "module_failures",
	.kind = RELAY_COUNTER,
	.help = "Timers and HTTP answers of a module that "
		"failed.",
	.label = "module",
	.values = nobody,
	.read = read_failures,
};
static const struct relay_metric_def slow = {
	.name = "module_slow_calls",
	.kind = RELAY_COUNTER,
	.help = "Calls of a module that blocked the control "
		"thread for more than 100 ms.",
	.label = "module",
	.values = nobody,
	.read = read_slow,
};

static const struct relay_metric_def hangs = {
	.name = "module_hangs",
	.kind = RELAY_COUNTER,
	.help = "Calls of a module that blocked a thread for "
		"5 s or more.",
	.label = "module",
	.values = nobody,
	.read = read_hangs,
};

static const struct relay_metric_def sessions = {
	.name = "module_sessions",
	.kind = RELAY_GAUGE,
	.help = "Open sessions of the protocol that the module serves.",
	.label = "module",
	.values = nobody,
	.read = read_sessions,
};

static const struct relay_metric_def traffic = {
	.name = "module_session_traffic",
	.unit = "bytes",
	.kind = RELAY_COUNTER,
	.help = "Bytes forwarded in sessions of the protocol that the module "
		"serves, each counted once, when its session has ended.",
	.label = "module",
	.values = nobody,
	.read = read_traffic,
};

static const struct relay_metric_def timer_failures = {
	.name = "timer_failures",
	.kind = RELAY_COUNTER,
	.help = "Timers of all modules that reported a "
		"failure.",
};

int module_metrics_init(void)
{
	struct modules_state *modules = instance->modules;

	modules->up = metrics_add_core(&up);
	modules->failures = metrics_add_core(&failures);
	modules->slow = metrics_add_core(&slow);
	modules->hangs = metrics_add_core(&hangs);
	modules->sessions = metrics_add_core(&sessions);
	modules->traffic = metrics_add_core(&traffic);
	modules->timer_failures = metrics_add_core(&timer_failures);
	return modules->up && modules->failures && modules->slow &&
			       modules->hangs && modules->sessions &&
			       modules->traffic && modules->timer_failures
		       ? 0
		       : -1;
}

void module_metrics_want(
	const struct catalog *catalog, const char *const *names)
{
	struct modules_state *modules = instance->modules;

	modules->catalog = catalog;
	modules->names = names;
	metrics_relabel(modules->up, names);
	metrics_relabel(modules->failures, names);
	metrics_relabel(modules->slow, names);
	metrics_relabel(modules->hangs, names);
	metrics_relabel(modules->sessions, names);
	metrics_relabel(modules->traffic, names);
}

void module_metrics_timer_failed(struct metrics_shard *shard)
{
	struct modules_state *modules = instance->modules;

	if (modules->timer_failures)
		metrics_count(shard, modules->timer_failures, 0, 1);
}
