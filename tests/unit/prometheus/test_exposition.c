/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the text format for Prometheus. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <event2/buffer.h>

#include "exposition.h"

static const char *const words[] = {"plain", "a\"b\\c", NULL};
static const int64_t bounds[] = {1000, 2500, 1000000, 0};
static const int64_t buckets[] = {1, 1, 3};

static const struct relay_metric_def counter = {
	.name = "joins",
	.help = "Say \"hi\" \\ bye.",
	.label = "result",
	.values = words,
};
static const struct relay_metric_def gauge = {
	.name = "lag",
	.unit = "seconds",
	.help = "Lag.",
	.kind = RELAY_GAUGE,
	.scale = 1000,
};
static const struct relay_metric_def histogram = {
	.name = "size",
	.unit = "seconds",
	.help = "Sizes.",
	.kind = RELAY_HISTOGRAM,
	.scale = 1000000,
	.bounds = bounds,
};

static void check(enum exposition_form form, const struct relay_sample *samples,
	size_t n, const char *want)
{
	struct exposition e = {.form = form, .out = evbuffer_new()};

	assert_non_null(e.out);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(exposition_add(&e, &samples[i]), 0);
	assert_int_equal(exposition_end(&e), 0);
	assert_int_equal(evbuffer_add(e.out, "", 1), 0);
	assert_string_equal((char *)evbuffer_pullup(e.out, -1), want);
	evbuffer_free(e.out);
}

static void counters_end_in_total(void **state)
{
	const struct relay_sample samples[] = {
		{.module = "rate-limit",
			.def = &counter,
			.value_name = words[0],
			.value = INT64_MAX},
		{.module = "rate-limit",
			.def = &counter,
			.value_name = words[1],
			.value = 2},
	};

	(void)state;
	check(EXPOSITION_TEXT, samples, 2,
		"# HELP strelaysrv_rate_limit_joins_total "
		"Say \"hi\" \\\\ bye.\n"
		"# TYPE strelaysrv_rate_limit_joins_total counter\n"
		"strelaysrv_rate_limit_joins_total{result=\"plain\"} "
		"9223372036854775807\n"
		"strelaysrv_rate_limit_joins_total{result=\"a\\\"b\\\\c\"} "
		"2\n");
	check(EXPOSITION_OPENMETRICS, samples, 1,
		"# HELP strelaysrv_rate_limit_joins "
		"Say \\\"hi\\\" \\\\ bye.\n"
		"# TYPE strelaysrv_rate_limit_joins counter\n"
		"strelaysrv_rate_limit_joins_total{result=\"plain\"} "
		"9223372036854775807\n"
		"# EOF\n");
}

static void numbers_are_exact(void **state)
{
	static const struct {
		int64_t stored;
		const char *text;
	} rows[] = {{0, "0"}, {1, "0.001"}, {-1500, "-1.5"}, {2000, "2"},
		{INT64_MAX, "9223372036854775.807"},
		{INT64_MIN, "-9223372036854775.808"}};
	char want[256];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct relay_sample sample = {.module = "core",
			.def = &gauge,
			.value = rows[i].stored};

		(void)snprintf(want, sizeof(want),
			"# HELP strelaysrv_core_lag_seconds Lag.\n"
			"# TYPE strelaysrv_core_lag_seconds gauge\n"
			"strelaysrv_core_lag_seconds %s\n",
			rows[i].text);
		check(EXPOSITION_TEXT, &sample, 1, want);
	}
}

static void histograms_are_cumulative(void **state)
{
	const struct relay_sample sample = {.module = "core",
		.def = &histogram,
		.value = 4,
		.sum = 3500000,
		.buckets = buckets};

	(void)state;
	check(EXPOSITION_TEXT, &sample, 1,
		"# HELP strelaysrv_core_size_seconds Sizes.\n"
		"# TYPE strelaysrv_core_size_seconds histogram\n"
		"strelaysrv_core_size_seconds_bucket{le=\"0.001\"} 1\n"
		"strelaysrv_core_size_seconds_bucket{le=\"0.0025\"} 1\n"
		"strelaysrv_core_size_seconds_bucket{le=\"1\"} 3\n"
		"strelaysrv_core_size_seconds_bucket{le=\"+Inf\"} 4\n"
		"strelaysrv_core_size_seconds_sum 3.5\n"
		"strelaysrv_core_size_seconds_count 4\n");
	check(EXPOSITION_OPENMETRICS, &sample, 1,
		"# HELP strelaysrv_core_size_seconds Sizes.\n"
		"# TYPE strelaysrv_core_size_seconds histogram\n"
		"# UNIT strelaysrv_core_size_seconds seconds\n"
		"strelaysrv_core_size_seconds_bucket{le=\"0.001\"} 1\n"
		"strelaysrv_core_size_seconds_bucket{le=\"0.0025\"} 1\n"
		"strelaysrv_core_size_seconds_bucket{le=\"1.0\"} 3\n"
		"strelaysrv_core_size_seconds_bucket{le=\"+Inf\"} 4\n"
		"strelaysrv_core_size_seconds_sum 3.5\n"
		"strelaysrv_core_size_seconds_count 4\n"
		"# EOF\n");
}

static void the_accept_header_decides(void **state)
{
	static const struct {
		const char *accept;
		enum exposition_form form;
	} rows[] = {
		{"", EXPOSITION_TEXT},
		{"*/*", EXPOSITION_TEXT},
		{"text/plain;version=0.0.4;q=0.5,*/*;q=0.1", EXPOSITION_TEXT},
		{"application/openmetrics-text;version=1.0.0;q=0.5,text/plain",
			EXPOSITION_OPENMETRICS},
		{"Application/OpenMetrics-Text", EXPOSITION_OPENMETRICS},
		{"application/openmetrics-text;q=0, text/plain",
			EXPOSITION_TEXT},
		{"application/openmetrics-text, text/plain;q=0",
			EXPOSITION_OPENMETRICS},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(
			exposition_choose(rows[i].accept), rows[i].form);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counters_end_in_total),
		cmocka_unit_test(numbers_are_exact),
		cmocka_unit_test(histograms_are_cumulative),
		cmocka_unit_test(the_accept_header_decides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
