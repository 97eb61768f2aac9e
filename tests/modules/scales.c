/* SPDX-License-Identifier: MPL-2.0 */

/* scales: has metrics of every type with every scale, and constant values. */

#include <strelaysrv/module.h>

#define SCALES 4

static const int64_t scale_of[SCALES] = {0, 1000, 1000000, 60};
/* The first one cannot be represented as a double. */
static const int64_t numbers[SCALES] = {9007199254740993, 20, 1234567, 90};
static const char *const counters[SCALES] = {
	"count", "count_ms", "count_us", "count_minutes"};
static const char *const gauges[SCALES] = {
	"level", "level_ms", "level_us", "level_minutes"};
static const char *const histograms[SCALES] = {
	"size", "size_ms", "size_us", "size_minutes"};
static const int64_t bounds[] = {20, 5000, 2000000, 0};
static const char *const sides[] = {"left", "right", NULL};

/* The count of a histogram is not scaled. */
static int add(struct relay_ctx *cx, unsigned i)
{
	const struct relay_metric_def defs[] = {
		{.name = counters[i],
			.unit = i ? "seconds" : "",
			.help = "Counted once.",
			.kind = RELAY_COUNTER,
			.label = "side",
			.values = sides,
			.scale = scale_of[i]},
		{.name = gauges[i],
			.unit = i ? "seconds" : "",
			.help = "Set once.",
			.kind = RELAY_GAUGE,
			.scale = scale_of[i]},
		{.name = histograms[i],
			.unit = i ? "seconds" : "",
			.help = "Observed twenty times.",
			.kind = RELAY_HISTOGRAM,
			.bounds = bounds,
			.scale = scale_of[i]},
	};
	struct relay_metric *added[3];
	struct relay_err err;

	if (relay_metrics_add(cx, defs, 3, added, &err))
		return -1;
	relay_metric_inc(cx, added[0], 1, numbers[i]);
	relay_metric_set(cx, added[1], 0, numbers[i]);
	for (unsigned n = 0; n < 20; n++)
		relay_metric_observe(cx, added[2], 0, numbers[i]);
	return 0;
}

static int init(struct relay_ctx *cx, struct relay_err *err)
{
	static const struct relay_metric_def below = {.name = "below",
		.unit = "seconds",
		.help = "Less than nothing.",
		.kind = RELAY_GAUGE,
		.scale = 1000};
	struct relay_metric *added = relay_metric_add(cx, &below);

	if (!added)
		return relay_fail(err, "a metric is refused");
	relay_metric_set(cx, added, 0, -1500);
	for (unsigned i = 0; i < SCALES; i++)
		if (add(cx, i))
			return relay_fail(err, "a metric is refused");
	return 0;
}

RELAY_MODULE = {
	RELAY_MODULE_INFO("scales", "1", "numbers of every scale"),
	.flags = RELAY_CONFINED,
	.init = init,
};
