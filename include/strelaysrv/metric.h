/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Metrics: counters, gauges and histograms that every exporter can visit.
 *
 * Each worker has its own shard, so counting takes no lock; a visitor sees the
 * sums.  A metric has at most one label, whose values the module fixes: no
 * device ID and no client's address ever becomes one.  A module that is
 * disabled and enabled again goes on with its old values, so that counters
 * never go backwards while the process lives.
 */
#ifndef RELAY_METRIC_H
#define RELAY_METRIC_H

#include <stdint.h>

struct relay_ctx;
struct relay_err;
struct relay_metric;

enum relay_metric_kind { RELAY_COUNTER, RELAY_GAUGE, RELAY_HISTOGRAM };

/*
 * A description; all that it points to must live as long as the module.
 * Exporters make the full name strelaysrv_MODULE_NAME[_UNIT][_total].
 */
struct relay_metric_def {
	const char *name; /* words joined by '_', without unit or suffix */
	const char *unit; /* "bytes", "seconds", "" for a plain count */
	const char *help; /* one sentence */
	enum relay_metric_kind kind;
	const char *label;         /* NULL: none */
	const char *const *values; /* of the label, NULL-terminated */
	/*
	 * Stored numbers are integers; what is shown is number / scale.  For
	 * seconds stored as microseconds: 1000000.  0 counts as 1.
	 */
	int64_t scale;
	/* Histograms: upper bounds as stored, rising, ended by 0. */
	const int64_t *bounds;
	/*
	 * Gauges, and counters that somebody else keeps, which are looked up:
	 * called [C] whenever somebody visits.  `value` is the label's index,
	 * else 0.
	 */
	int64_t (*read)(struct relay_ctx *cx, unsigned value);
};

/*
 * [C] init.  NULL with a logged reason: a bad description, a name that this
 * module has registered with another shape, or no room (4,096 numbers in all).
 */
struct relay_metric *relay_metric_add(
	struct relay_ctx *cx, const struct relay_metric_def *def);

/*
 * The same for a table of them, in init's own terms: 0, or -1 with the reason
 * in err.  added[i] becomes that of defs[i]; NULL: nobody will count by hand.
 */
int relay_metrics_add(struct relay_ctx *cx, const struct relay_metric_def *defs,
	unsigned count, struct relay_metric **added, struct relay_err *err);

/*
 * Other values for the label of a metric that is looked up (`read`), such as
 * the names that a reload has brought; copied, may be none.  [C]  0, or -1 with
 * a logged reason, and nothing changed.
 */
int relay_metric_relabel(struct relay_ctx *cx, struct relay_metric *metric,
	const char *const *values);

/*
 * Counts on the calling thread's shard; `value` is the index of the label's
 * value, 0 without a label.  [*]  Accepts NULL.  Counters: by >= 0.
 */
void relay_metric_inc(const struct relay_ctx *cx, struct relay_metric *metric,
	unsigned value, int64_t by);
/* A gauge whose whole value one thread knows.  [*] that thread only. */
void relay_metric_set(const struct relay_ctx *cx, struct relay_metric *metric,
	unsigned value, int64_t to);
/* One observation of a histogram, as stored. */
void relay_metric_observe(const struct relay_ctx *cx,
	struct relay_metric *metric, unsigned value, int64_t seen);

/* One number, or one histogram, summed over all threads. */
struct relay_sample {
	const char *module;
	const struct relay_metric_def *def;
	const char *value_name; /* of the label; NULL without one */
	int64_t value;          /* histograms: how many observations */
	int64_t sum;            /* histograms: the sum of what was seen */
	const int64_t
		*buckets; /* histograms: how many at or below each bound */
};

typedef int relay_visit_fn(const struct relay_sample *sample, void *arg);

/*
 * Calls visit for every sample, module by module, metric by metric.  [C]  Stops
 * at the first return other than 0, and returns it.
 */
int relay_metrics_visit(struct relay_ctx *cx, relay_visit_fn *visit, void *arg);

/*
 * One number by name: `module` as in the configuration or "core", value_name
 * NULL for the sum over all values of a label.  [C]  0 when there is none.
 */
int64_t relay_metric_value(struct relay_ctx *cx, const char *module,
	const char *name, const char *value_name);

#endif
