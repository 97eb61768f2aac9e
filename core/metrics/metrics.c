/* SPDX-License-Identifier: MPL-2.0 */

/* The registry of metrics, and their shards. */

#include <stdlib.h>
#include <string.h>

#include "base/instance.h"
#include "log/log.h"
#include "metrics/metrics.h"
#include "metrics/metrics_shape.h"

struct metrics_state {
	struct metrics_shard *shards; /* the control thread's, then workers' */
	unsigned count;
	unsigned used;              /* how many numbers are allocated */
	struct relay_metric *first; /* a list, grouped by module */
};

static bool always(const struct metrics_owner *owner)
{
	(void)owner;
	return true;
}

/* The owner of the server's own metrics: never withdrawn, without a context. */
static const struct metrics_owner core = {.name = "core", .visible = always};

int metrics_create(void)
{
	instance->metrics = calloc(1, sizeof(*instance->metrics));
	return instance->metrics ? 0 : -1;
}

int metrics_init(unsigned workers)
{
	struct metrics_state *metrics = instance->metrics;
	size_t len = (workers + 1) * sizeof(struct metrics_shard);

	/* The size of a shard is a multiple of a cache line, so no two threads
	 * share one. */
	metrics->shards = aligned_alloc(64, len);
	if (!metrics->shards)
		return -1;
	memset(metrics->shards, 0, len);
	metrics->count = workers + 1;
	return 0;
}

void metrics_destroy(void)
{
	struct metrics_state *metrics = instance->metrics;
	struct relay_metric *m, *next;

	if (!metrics)
		return;
	for (m = metrics->first; m; m = next) {
		next = m->next;
		if (m->relabelled)
			m->def.values = NULL;
		shape_finish(&m->def);
		shape_free_values(m->next_values);
		free(m->module);
		free(m);
	}
	free(metrics->shards);
	free(metrics);
	instance->metrics = NULL;
}

struct metrics_shard *metrics_shard(int worker)
{
	return &instance->metrics->shards[worker + 1];
}

static struct relay_metric *find(const char *module, const char *name)
{
	struct relay_metric *m = instance->metrics->first;

	while (m && (strcmp(m->module, module) != 0 ||
			    strcmp(m->def.name, name) != 0))
		m = m->next;
	return m;
}

/* Inserts it after the last metric of the same module. */
static void list_add(struct relay_metric *metric)
{
	struct relay_metric **at = &instance->metrics->first, **end = NULL;

	for (; *at; at = &(*at)->next) {
		if (strcmp((*at)->module, metric->module) == 0)
			end = &(*at)->next;
	}
	if (!end)
		end = at;
	metric->next = *end;
	*end = metric;
}

static struct relay_metric *create(const struct metrics_owner *owner,
	const struct relay_metric_def *def, struct relay_err *err)
{
	struct metrics_state *metrics = instance->metrics;
	struct relay_metric *m = calloc(1, sizeof(*m));

	if (!m)
		goto error;
	m->width = shape_width(def);
	m->values = shape_values(def);
	if (m->values > (METRICS_NUMBERS - metrics->used) / m->width) {
		(void)relay_fail(
			err, "all %d numbers are in use", METRICS_NUMBERS);
		goto error_metric;
	}
	m->module = strdup(owner->name);
	if (!m->module)
		goto error_memory;
	if (shape_copy(&m->def, def))
		goto error_module;
	m->first = metrics->used;
	metrics->used += m->values * m->width;
	list_add(m);
	return m;

error_module:
	free(m->module);
error_memory:
	(void)relay_fail(err, "no memory");
error_metric:
	free(m);
	return NULL;
error:
	(void)relay_fail(err, "no memory");
	return NULL;
}

int metrics_stage_values(struct relay_metric *metric, const char *const *values,
	struct relay_err *err)
{
	const char *const *copy;

	if (shape_check_values(values, err))
		return -1;
	copy = shape_copy_values(values);
	if (!copy)
		return relay_fail(err, "no memory");
	shape_free_values(metric->next_values);
	metric->next_values = copy;
	return 0;
}

void metrics_take_one(struct relay_metric *metric)
{
	if (!metric->next_values)
		return;
	shape_free_values(metric->def.values);
	metric->def.values = metric->next_values;
	metric->next_values = NULL;
	metric->values = shape_values(&metric->def);
}

void metrics_drop_one(struct relay_metric *metric)
{
	shape_free_values(metric->next_values);
	metric->next_values = NULL;
}

int metrics_set_values(struct relay_metric *metric, const char *const *values,
	struct relay_err *err)
{
	if (metrics_stage_values(metric, values, err) != 0)
		return -1;
	metrics_take_one(metric);
	return 0;
}

void metrics_take_values(const struct metrics_owner *owner)
{
	for (struct relay_metric *m = instance->metrics->first; m; m = m->next)
		if (m->owner == owner)
			metrics_take_one(m);
}

void metrics_drop_values(const struct metrics_owner *owner)
{
	for (struct relay_metric *m = instance->metrics->first; m;
		m = m->next) {
		if (m->owner == owner)
			metrics_drop_one(m);
	}
}

struct relay_metric *metrics_register(const struct metrics_owner *owner,
	const struct relay_metric_def *def, struct relay_err *err)
{
	struct relay_metric *m;

	if (shape_check(def, err))
		return NULL;
	m = find(owner->name, def->name);
	if (m && !shape_equal(&m->def, def)) {
		(void)relay_fail(err, "it is registered already, with another "
				      "kind, unit, scale, label or bounds");
		return NULL;
	}
	if (!m)
		m = create(owner, def, err);
	else if (m->def.read && def->label &&
		 metrics_set_values(m, def->values, err))
		return NULL;
	if (!m)
		return NULL;
	m->def.read = def->read;
	m->owner = owner;
	return m;
}

struct relay_metric *metrics_add_core(const struct relay_metric_def *def)
{
	struct relay_err err;
	struct relay_metric *m = metrics_register(&core, def, &err);

	if (!m)
		log_core(RELAY_ERROR, "metric \"%s\" is refused: %s",
			def->name ? def->name : "(unnamed)", err.text);
	return m;
}

struct relay_metric *metrics_add_lookup(
	const struct relay_metric_def *def, int64_t (*look)(void))
{
	struct relay_metric *m = metrics_add_core(def);

	if (m)
		m->look = look;
	return m;
}

void metrics_relabel(struct relay_metric *metric, const char *const *values)
{
	if (!metric->relabelled)
		shape_free_values(metric->def.values);
	metric->relabelled = true;
	metric->def.values = values;
	metric->values = shape_values(&metric->def);
}

void metrics_withdraw(const struct metrics_owner *owner)
{
	for (struct relay_metric *m = instance->metrics->first; m;
		m = m->next) {
		if (m->owner == owner)
			m->owner = NULL;
	}
}

void metrics_count(struct metrics_shard *shard,
	const struct relay_metric *metric, unsigned value, int64_t by)
{
	if (value >= metric->values || metric->width != 1)
		return;
	if (by < 0 && metric->def.kind == RELAY_COUNTER)
		return;
	metrics_add(shard, metric->first + value, by);
}

/* One label value of a histogram has a number for each bound and one for
 * observations above all bounds, each counting only its own range, and then the
 * sum. */
void metrics_observe(struct metrics_shard *shard,
	const struct relay_metric *metric, unsigned value, int64_t seen)
{
	unsigned at = metric->first + value * metric->width, i = 0;

	if (value >= metric->values || metric->def.kind != RELAY_HISTOGRAM)
		return;
	while (metric->def.bounds[i] && seen > metric->def.bounds[i])
		i++;
	metrics_add(shard, at + i, 1);
	metrics_add(shard, at + metric->width - 1, seen);
}

void metrics_set(struct metrics_shard *shard, const struct relay_metric *metric,
	unsigned value, int64_t to)
{
	if (value >= metric->values || metric->def.kind != RELAY_GAUGE)
		return;
	atomic_store_explicit(&shard->number[metric->first + value], to,
		memory_order_relaxed);
}

static int64_t sum(unsigned at)
{
	const struct metrics_state *metrics = instance->metrics;
	int64_t total = 0;

	for (unsigned i = 0; i < metrics->count; i++)
		total += atomic_load_explicit(
			&metrics->shards[i].number[at], memory_order_relaxed);
	return total;
}

static int64_t number(const struct relay_metric *m, unsigned value)
{
	if (m->look)
		return m->look();
	if (m->def.read)
		return m->def.read(m->owner->cx, value);
	return sum(m->first + value);
}

static int64_t observations(const struct relay_metric *m, unsigned value,
	int64_t buckets[SHAPE_BOUNDS_MAX])
{
	unsigned at = m->first + value * m->width;
	int64_t below = 0;

	for (unsigned i = 0; i < m->width - 2; i++) {
		below += sum(at + i);
		buckets[i] = below;
	}
	return below + sum(at + m->width - 2);
}

static int visit_value(const struct relay_metric *m, unsigned value,
	relay_visit_fn *visit, void *arg)
{
	int64_t buckets[SHAPE_BOUNDS_MAX];
	struct relay_sample sample = {
		.module = m->module,
		.def = &m->def,
		.value_name = m->def.label ? m->def.values[value] : NULL,
	};

	if (m->def.kind == RELAY_HISTOGRAM) {
		sample.value = observations(m, value, buckets);
		sample.sum = sum(m->first + (value + 1) * m->width - 1);
		sample.buckets = buckets;
	} else {
		sample.value = number(m, value);
	}
	return visit(&sample, arg);
}

static bool visible(
	const struct relay_metric *m, const struct metrics_owner *to)
{
	return m->owner && (m->owner->visible(m->owner) || m->owner == to);
}

int metrics_visit(
	const struct metrics_owner *to, relay_visit_fn *visit, void *arg)
{
	int result = 0;

	for (struct relay_metric *m = instance->metrics->first; m;
		m = m->next) {
		if (!visible(m, to))
			continue;
		for (unsigned i = 0; i < m->values && !result; i++)
			result = visit_value(m, i, visit, arg);
		if (result)
			return result;
	}
	return 0;
}

int64_t metrics_value(const struct metrics_owner *to, const char *module,
	const char *name, const char *value_name)
{
	const struct relay_metric *m = find(module, name);
	int64_t buckets[SHAPE_BOUNDS_MAX], total = 0;

	if (!m || !visible(m, to))
		return 0;
	for (unsigned i = 0; i < m->values; i++) {
		if (value_name && (!m->def.label || strcmp(m->def.values[i],
							    value_name) != 0))
			continue;
		total += m->def.kind == RELAY_HISTOGRAM
				 ? observations(m, i, buckets)
				 : number(m, i);
	}
	return total;
}
