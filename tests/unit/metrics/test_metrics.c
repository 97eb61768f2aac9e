/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the metrics registry. */

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <strelaysrv/err.h>

#include "log/log.h"
#include "metrics/metrics.h"
#include "modules/module.h"

#define WORKERS 3

static struct relay_module mod, other;
static struct module_ctx contexts[WORKERS];
static char logged[512];

void relay_log(const struct relay_ctx *cx, enum relay_level level,
	const char *fmt, ...)
{
	va_list ap;

	(void)cx;
	(void)level;
	va_start(ap, fmt);
	(void)vsnprintf(logged, sizeof(logged), fmt, ap);
	va_end(ap);
}

void log_core(enum relay_level level, const char *fmt, ...)
{
	va_list ap;

	(void)level;
	va_start(ap, fmt);
	(void)vsnprintf(logged, sizeof(logged), fmt, ap);
	va_end(ap);
}

static void make_module(struct relay_module *m, const char *name)
{
	memset(m, 0, sizeof(*m));
	m->def.name = name;
	m->control.pub.mod = m;
	m->control.pub.worker = RELAY_CONTROL;
	m->control.shard = metrics_shard(RELAY_CONTROL);
}

static int setup(void **state)
{
	(void)state;
	if (metrics_create() || metrics_init(WORKERS))
		return -1;
	make_module(&mod, "test");
	make_module(&other, "other");
	for (int i = 0; i < WORKERS; i++) {
		contexts[i] = mod.control;
		contexts[i].pub.worker = i;
		contexts[i].shard = metrics_shard(i);
	}
	logged[0] = '\0';
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	metrics_destroy();
	return 0;
}

static const char *const colours[] = {"red", "green", NULL};
static const int64_t bounds[] = {10, 100, 0};
static const struct relay_metric_def counter = {
	.name = "things",
	.help = "Things.",
	.kind = RELAY_COUNTER,
	.label = "colour",
	.values = colours,
};
static const struct relay_metric_def gauge = {
	.name = "level",
	.help = "A level.",
	.kind = RELAY_GAUGE,
};
static const struct relay_metric_def histogram = {
	.name = "delay",
	.unit = "seconds",
	.help = "A delay.",
	.kind = RELAY_HISTOGRAM,
	.scale = 1000,
	.bounds = bounds,
};

static struct relay_metric *add(const struct relay_metric_def *def)
{
	struct relay_metric *m = relay_metric_add(&mod.control.pub, def);

	assert_non_null(m);
	return m;
}

static int64_t value(const char *name, const char *value_name)
{
	return relay_metric_value(&other.control.pub, "test", name, value_name);
}

static void sums_are_over_all_shards_and_labels(void **state)
{
	struct relay_metric *m = add(&counter);

	(void)state;
	mod.stage = MODULE_LIVE;
	for (int i = 0; i < WORKERS; i++)
		relay_metric_inc(&contexts[i].pub, m, 0, i + 1);
	relay_metric_inc(&mod.control.pub, m, 1, 10);
	assert_int_equal(value("things", "red"), 6);
	assert_int_equal(value("things", "green"), 10);
	assert_int_equal(value("things", NULL), 16);
	assert_int_equal(value("things", "blue"), 0);
	assert_int_equal(value("nothing", NULL), 0);
}

static void counters_never_go_back_and_values_stay_in_range(void **state)
{
	struct relay_metric *m = add(&counter);

	(void)state;
	mod.stage = MODULE_LIVE;
	relay_metric_inc(&mod.control.pub, m, 0, 5);
	relay_metric_inc(&mod.control.pub, m, 0, -1);
	relay_metric_inc(&mod.control.pub, m, 2, 1);
	relay_metric_inc(&mod.control.pub, NULL, 0, 1);
	relay_metric_set(&mod.control.pub, m, 0, 0);
	relay_metric_observe(&mod.control.pub, m, 0, 1);
	assert_int_equal(value("things", NULL), 5);
}

static void gauges_are_set_and_moved(void **state)
{
	struct relay_metric *m = add(&gauge);

	(void)state;
	mod.stage = MODULE_LIVE;
	relay_metric_set(&contexts[0].pub, m, 0, 7);
	relay_metric_inc(&contexts[0].pub, m, 0, -2);
	assert_int_equal(value("level", NULL), 5);
}

static int64_t read_level(struct relay_ctx *cx, unsigned v)
{
	return cx == &mod.control.pub ? 40 + (int64_t)v : -1;
}

static void gauges_can_be_looked_up(void **state)
{
	struct relay_metric_def def = gauge;

	(void)state;
	def.read = read_level;
	def.label = "colour";
	def.values = colours;
	add(&def);
	mod.stage = MODULE_LIVE;
	assert_int_equal(value("level", "green"), 41);
	assert_int_equal(value("level", NULL), 81);
}

static int check_histogram(const struct relay_sample *s, void *arg)
{
	int *calls = arg;

	++*calls;
	assert_string_equal(s->module, "test");
	assert_string_equal(s->def->name, "delay");
	assert_string_equal(s->def->unit, "seconds");
	assert_int_equal(s->value, 4);
	assert_int_equal(s->sum, 10 + 11 + 100 + 1000);
	assert_int_equal(s->buckets[0], 1);
	assert_int_equal(s->buckets[1], 3);
	assert_null(s->value_name);
	return 0;
}

static void histograms_count_at_or_below_each_bound(void **state)
{
	struct relay_metric *m = add(&histogram);
	int calls = 0;

	(void)state;
	mod.stage = MODULE_LIVE;
	relay_metric_observe(&contexts[0].pub, m, 0, 10);
	relay_metric_observe(&contexts[1].pub, m, 0, 11);
	relay_metric_observe(&contexts[2].pub, m, 0, 100);
	relay_metric_observe(&contexts[2].pub, m, 0, 1000);
	relay_metric_inc(&contexts[2].pub, m, 0, 1); /* not its kind */
	assert_int_equal(relay_metrics_visit(
				 &other.control.pub, check_histogram, &calls),
		0);
	assert_int_equal(calls, 1);
	assert_int_equal(value("delay", NULL), 4);
}

static void only_live_modules_are_seen_by_others(void **state)
{
	struct relay_metric *m = add(&gauge);

	(void)state;
	relay_metric_inc(&mod.control.pub, m, 0, 3);
	assert_int_equal(value("level", NULL), 0);
	assert_int_equal(
		relay_metric_value(&mod.control.pub, "test", "level", NULL), 3);
	mod.stage = MODULE_LIVE;
	assert_int_equal(value("level", NULL), 3);
}

static void values_survive_a_withdrawal(void **state)
{
	struct relay_metric *m = add(&counter);

	(void)state;
	mod.stage = MODULE_LIVE;
	relay_metric_inc(&contexts[0].pub, m, 0, 9);
	metrics_withdraw(&mod.metrics);
	assert_int_equal(value("things", NULL), 0);
	assert_ptr_equal(add(&counter), m);
	relay_metric_inc(&contexts[1].pub, m, 0, 1);
	assert_int_equal(value("things", NULL), 10);
}

static void another_shape_under_the_same_name_is_refused(void **state)
{
	struct relay_metric_def def = counter;

	(void)state;
	add(&counter);
	def.kind = RELAY_GAUGE;
	assert_null(relay_metric_add(&mod.control.pub, &def));
	assert_non_null(strstr(logged, "registered already"));
	assert_non_null(relay_metric_add(&other.control.pub, &def));
}

static void refuses(struct relay_metric_def def, const char *why)
{
	logged[0] = '\0';
	assert_null(relay_metric_add(&mod.control.pub, &def));
	if (!strstr(logged, why))
		fail_msg("got \"%s\", want \"%s\"", logged, why);
}

static void bad_descriptions_are_refused_with_the_reason(void **state)
{
	static const char *const none[] = {NULL};
	static const char *const twice[] = {"a", "a", NULL};
	static const int64_t falling[] = {10, 5, 0};
	struct relay_metric_def d;

	(void)state;
#define WITH(from, member, to, why)                                            \
	d = (from);                                                            \
	d.member = (to);                                                       \
	refuses(d, why)
	WITH(gauge, name, NULL, "its name");
	WITH(gauge, name, "Level", "its name");
	WITH(gauge, name, "1st", "its name");
	WITH(gauge, name, "a-b", "its name");
	WITH(gauge, name, "a_total", "_total");
	WITH(histogram, name, "a_seconds", "unit");
	WITH(gauge, help, "", "help");
	WITH(gauge, help, "a\nb", "help");
	WITH(gauge, kind, (enum relay_metric_kind)7, "kind");
	WITH(gauge, bounds, bounds, "histogram");
	WITH(gauge, values, colours, "label");
	WITH(counter, values, none, "no values");
	WITH(counter, values, twice, "twice");
	WITH(counter, label, "a b", "label");
	WITH(histogram, bounds, NULL, "bounds");
	WITH(histogram, bounds, falling, "rise");
#undef WITH
}

static void there_is_an_end_to_numbers(void **state)
{
	char name[32];
	struct relay_metric_def def = gauge;

	(void)state;
	def.name = name;
	for (int i = 0; i < METRICS_NUMBERS; i++) {
		(void)snprintf(name, sizeof(name), "m%d", i);
		add(&def);
	}
	(void)snprintf(name, sizeof(name), "one_more");
	refuses(def, "in use");
	(void)snprintf(name, sizeof(name), "m7");
	assert_string_equal(add(&def)->def.name, "m7");
}

static int note_order(const struct relay_sample *s, void *arg)
{
	char *text = arg;
	size_t len = strlen(text);

	(void)snprintf(
		text + len, 256 - len, "%s.%s ", s->module, s->def->name);
	return strcmp(s->def->name, "stop") == 0 ? 42 : 0;
}

static void visits_go_module_by_module_and_stop_when_told(void **state)
{
	struct relay_metric_def stop = gauge;
	char text[256] = "";

	(void)state;
	assert_non_null(metrics_add_core(&gauge));
	mod.stage = other.stage = MODULE_LIVE;
	add(&gauge);
	stop.name = "stop";
	assert_non_null(relay_metric_add(&other.control.pub, &stop));
	assert_non_null(relay_metric_add(&other.control.pub, &gauge));
	add(&histogram);
	assert_int_equal(relay_metrics_visit(NULL, note_order, text), 42);
	assert_string_equal(
		text, "core.level test.level test.delay other.stop ");
}

static void *count_many(void *arg)
{
	struct relay_metric *m = arg;

	for (int i = 0; i < 100000; i++)
		relay_metric_inc(&contexts[0].pub, m, 0, 1);
	return NULL;
}

static int64_t read_its_index(struct relay_ctx *cx, unsigned value)
{
	(void)cx;
	return value + 1;
}

static void what_is_looked_up_may_get_other_labels(void **state)
{
	static const struct relay_metric_def named = {.name = "named",
		.kind = RELAY_GAUGE,
		.help = "Each by its name.",
		.label = "name",
		.values = colours,
		.read = read_its_index};
	const char *const names[] = {"a", "green", "c", NULL};
	const char *const none[] = {NULL};
	struct relay_metric *m = metrics_add_core(&named);

	(void)state;
	assert_non_null(m);
	assert_int_equal(relay_metric_value(NULL, "core", "named", "green"), 2);
	metrics_relabel(m, names);
	assert_int_equal(relay_metric_value(NULL, "core", "named", "c"), 3);
	assert_int_equal(relay_metric_value(NULL, "core", "named", "red"), 0);
	metrics_relabel(m, none);
	assert_int_equal(relay_metric_value(NULL, "core", "named", NULL), 0);
}

static void a_module_may_give_other_labels(void **state)
{
	static const struct relay_metric_def named = {.name = "named",
		.kind = RELAY_GAUGE,
		.help = "Each by its name.",
		.label = "name",
		.values = colours,
		.read = read_its_index};
	const char *const names[] = {"a", "green", "c", NULL};
	const char *const twice[] = {"a", "a", NULL};
	const char *const none[] = {NULL};
	struct relay_metric *m = add(&named);
	struct relay_ctx *cx = &mod.control.pub;

	(void)state;
	mod.stage = MODULE_LIVE;
	assert_int_equal(relay_metric_relabel(cx, m, names), 0);
	assert_int_equal(value("named", "c"), 3);
	assert_int_equal(value("named", "red"), 0);
	assert_int_equal(relay_metric_relabel(cx, m, twice), -1);
	assert_non_null(strstr(logged, "\"a\" twice"));
	assert_int_equal(value("named", "c"), 3);
	assert_int_equal(relay_metric_relabel(cx, m, none), 0);
	assert_int_equal(value("named", NULL), 0);
	/* As if the module was disabled and enabled again. */
	metrics_withdraw(&mod.metrics);
	assert_ptr_equal(add(&named), m);
	assert_int_equal(value("named", "green"), 2);
	assert_int_equal(relay_metric_relabel(cx, add(&counter), names), -1);
	assert_non_null(strstr(logged, "a read function"));
}

static void readers_see_numbers_only_grow(void **state)
{
	struct relay_metric *m = add(&counter);
	pthread_t thread;
	int64_t last = 0, now;

	(void)state;
	mod.stage = MODULE_LIVE;
	assert_int_equal(pthread_create(&thread, NULL, count_many, m), 0);
	do {
		now = value("things", NULL);
		assert_true(now >= last);
		last = now;
	} while (now < 100000);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

static void a_table_is_added_up_to_the_one_that_is_refused(void **state)
{
	struct relay_metric_def defs[] = {counter, gauge, histogram};
	struct relay_metric *metrics[3] = {NULL};
	struct relay_ctx *cx = &mod.control.pub;
	struct relay_err err;

	(void)state;
	mod.stage = MODULE_LIVE;
	assert_int_equal(relay_metrics_add(cx, defs, 3, metrics, &err), 0);
	relay_metric_inc(cx, metrics[0], 1, 7);
	assert_int_equal(value("things", "green"), 7);
	assert_int_equal(relay_metrics_add(cx, defs, 3, NULL, &err), 0);
	defs[1].label = "size";
	assert_int_equal(relay_metrics_add(cx, defs, 3, metrics, &err), -1);
	assert_non_null(strstr(err.text, "metric \"level\" is refused: "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(sums_are_over_all_shards_and_labels),
		T(counters_never_go_back_and_values_stay_in_range),
		T(gauges_are_set_and_moved),
		T(gauges_can_be_looked_up),
		T(histograms_count_at_or_below_each_bound),
		T(only_live_modules_are_seen_by_others),
		T(values_survive_a_withdrawal),
		T(another_shape_under_the_same_name_is_refused),
		T(bad_descriptions_are_refused_with_the_reason),
		T(there_is_an_end_to_numbers),
		T(what_is_looked_up_may_get_other_labels),
		T(a_module_may_give_other_labels),
		T(a_table_is_added_up_to_the_one_that_is_refused),
		T(visits_go_module_by_module_and_stop_when_told),
		T(readers_see_numbers_only_grow),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
