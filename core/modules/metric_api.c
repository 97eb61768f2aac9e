/* SPDX-License-Identifier: MPL-2.0 */

/* The API functions by which modules register, count and visit metrics. */

#include "log/log.h"
#include "metrics/metrics.h"
#include "modules/module.h"

static bool is_visible(const struct metrics_owner *owner)
{
	return module_visible(owner->cx->mod);
}

/* Fills in the owner at each call, always with the same values, so that modules
 * without metrics need no setup. */
static struct metrics_owner *owner_of(const struct relay_ctx *cx)
{
	struct relay_module *mod = cx->mod;

	mod->metrics = (struct metrics_owner){.name = mod->def.name,
		.cx = &mod->control.pub,
		.visible = is_visible};
	return &mod->metrics;
}

static const char *name_of(const struct relay_metric_def *def)
{
	return def->name ? def->name : "(unnamed)";
}

struct relay_metric *relay_metric_add(
	struct relay_ctx *cx, const struct relay_metric_def *def)
{
	struct relay_metric *m = NULL;
	struct relay_err err;

	if (relay_metrics_add(cx, def, 1, &m, &err) != 0)
		relay_log(cx, RELAY_ERROR, "%s", err.text);
	return m;
}

int relay_metrics_add(struct relay_ctx *cx, const struct relay_metric_def *defs,
	unsigned count, struct relay_metric **added, struct relay_err *err)
{
	struct relay_err why;

	if (cx->mod->preparing)
		return relay_fail(err,
			"metric \"%s\" is refused: it cannot be registered in "
			"reload_prepare, only in init",
			name_of(defs));
	for (unsigned i = 0; i < count; i++) {
		struct relay_metric *m =
			metrics_register(owner_of(cx), &defs[i], &why);

		if (!m)
			return relay_fail(err, "metric \"%s\" is refused: %s",
				name_of(&defs[i]), why.text);
		if (added)
			added[i] = m;
	}
	return 0;
}

int relay_metric_relabel(struct relay_ctx *cx, struct relay_metric *metric,
	const char *const *values)
{
	struct relay_err err;
	int result;

	if (!metric || !metric->def.label || !metric->def.read)
		result = relay_fail(&err, "only a metric with a label and a "
					  "read function can change them");
	else if (cx->mod->preparing)
		result = metrics_stage_values(metric, values, &err);
	else
		result = metrics_set_values(metric, values, &err);
	if (result != 0)
		relay_log(cx, RELAY_ERROR,
			"metric \"%s\" keeps the values of its label: %s",
			metric ? metric->def.name : "(none)", err.text);
	return result;
}

void relay_metric_inc(const struct relay_ctx *cx, struct relay_metric *metric,
	unsigned value, int64_t by)
{
	if (metric)
		metrics_count(module_ctx_of(cx)->shard, metric, value, by);
}

void relay_metric_set(const struct relay_ctx *cx, struct relay_metric *metric,
	unsigned value, int64_t to)
{
	if (metric)
		metrics_set(module_ctx_of(cx)->shard, metric, value, to);
}

void relay_metric_observe(const struct relay_ctx *cx,
	struct relay_metric *metric, unsigned value, int64_t seen)
{
	if (metric)
		metrics_observe(module_ctx_of(cx)->shard, metric, value, seen);
}

int relay_metrics_visit(struct relay_ctx *cx, relay_visit_fn *visit, void *arg)
{
	return metrics_visit(cx ? owner_of(cx) : NULL, visit, arg);
}

int64_t relay_metric_value(struct relay_ctx *cx, const char *module,
	const char *name, const char *value_name)
{
	return metrics_value(
		cx ? owner_of(cx) : NULL, module, name, value_name);
}
