/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Metrics: counters, gauges and histograms that every exporter can visit.
 *
 * Each worker counts in its own shard, without a lock; a visitor sees the sums.
 * A metric has at most one label, with a fixed set of values: never use a
 * device ID or a client's address as a label value.  A module that is disabled
 * and enabled again continues with its old values, so that counters never
 * decrease while the process runs.
 */
#ifndef RELAY_METRIC_H
#define RELAY_METRIC_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct relay_ctx;
struct relay_err;
struct relay_metric;

enum relay_metric_kind { RELAY_COUNTER, RELAY_GAUGE, RELAY_HISTOGRAM };

/*
 * Describes a metric.  Everything it points to must stay valid as long as the
 * module.  Exporters build the full name strelaysrv_MODULE_NAME[_UNIT][_total].
 */
struct relay_metric_def {
	const char *name; /* words joined by '_', without unit or suffix */
	const char *unit; /* "bytes", "seconds", "" for a plain count */
	const char *help; /* one sentence */
	enum relay_metric_kind kind;
	const char *label;         /* NULL: none */
	const char *const *values; /* of the label, NULL-terminated */
	/*
	 * Stored numbers are integers; exporters show number / scale, see
	 * relay_sample_text().  For seconds stored as microseconds: 1000000.  0
	 * counts as 1.
	 */
	int64_t scale;
	/* Histograms: upper bounds in stored units, ascending, ended by 0. */
	const int64_t *bounds;
	/*
	 * For gauges, and for counters kept elsewhere: returns the current
	 * number.  Called [C] at each visit.  `value` is the index of the
	 * label's value, 0 without a label.
	 */
	int64_t (*read)(struct relay_ctx *cx, unsigned value);
};

/*
 * [C] init.  Returns NULL, with a logged reason, for an invalid description,
 * for a name that this module has registered with another kind or label, or if
 * there is no room (4,096 numbers in total).
 */
struct relay_metric *relay_metric_add(
	struct relay_ctx *cx, const struct relay_metric_def *def);

/*
 * Adds a table of metrics.  Returns 0, or -1 with the reason in err, as init
 * does. added[i] becomes the metric of defs[i]; `added` may be NULL if all have
 * `read`.
 */
int relay_metrics_add(struct relay_ctx *cx, const struct relay_metric_def *defs,
	unsigned count, struct relay_metric **added, struct relay_err *err);

/*
 * Sets new values for the label of a metric that has `read`, such as names that
 * a reload has changed.  They are copied; there may be none.  [C] Returns 0, or
 * -1 with a logged reason and nothing changed.
 */
int relay_metric_relabel(struct relay_ctx *cx, struct relay_metric *metric,
	const char *const *values);

/*
 * Adds `by` in the calling thread's shard; `value` is the index of the label's
 * value, 0 without a label.  [*] `metric` may be NULL.  Counters: by >= 0.
 */
void relay_metric_inc(const struct relay_ctx *cx, struct relay_metric *metric,
	unsigned value, int64_t by);
/* Sets a gauge that only one thread sets.  [*] on that thread. */
void relay_metric_set(const struct relay_ctx *cx, struct relay_metric *metric,
	unsigned value, int64_t to);
/* Adds one observation to a histogram, in stored units. */
void relay_metric_observe(const struct relay_ctx *cx,
	struct relay_metric *metric, unsigned value, int64_t seen);

/*
 * One number, or one histogram, summed over all threads.  `value` and `sum` are
 * stored numbers, in stored units: exporters show what the functions below make
 * of them.
 */
struct relay_sample {
	const char *module;
	const struct relay_metric_def *def;
	const char *value_name; /* of the label; NULL without one */
	int64_t value;          /* histograms: the number of observations */
	int64_t sum;            /* histograms: the sum of the observations */
	const int64_t
		*buckets; /* histograms: observations at or below each bound */
};

#define RELAY_NUMBER_TEXT 48 /* enough for any number */

/*
 * A sample's value in the unit of its metric: value / scale; for a histogram
 * the number of observations, which has no unit.  The text is decimal and
 * exact, if the scale is a power of ten; it is written to `out`, which is
 * returned.  The double is exact up to 2^53 stored units.  [*]
 */
const char *relay_sample_text(
	const struct relay_sample *sample, char out[RELAY_NUMBER_TEXT]);
double relay_sample_value(const struct relay_sample *sample);
/*
 * The same text for another stored number of a metric: the sum or a bound of a
 * histogram, or the increase of a counter.  [*]
 */
const char *relay_metric_text(const struct relay_metric_def *def,
	int64_t stored, char out[RELAY_NUMBER_TEXT]);

typedef int relay_visit_fn(const struct relay_sample *sample, void *arg);

/*
 * Calls visit for every sample, module by module, metric by metric.  [C]  Stops
 * at the first return other than 0, and returns it.
 */
int relay_metrics_visit(struct relay_ctx *cx, relay_visit_fn *visit, void *arg);

/*
 * Returns one stored number by name, not divided by the scale: `module` as in
 * the configuration or "core", value_name NULL for the sum over all values of a
 * label.  [C] 0 if there is none.
 */
int64_t relay_metric_value(struct relay_ctx *cx, const char *module,
	const char *name, const char *value_name);

#ifdef __cplusplus
}
#endif

#endif
