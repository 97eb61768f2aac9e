/* SPDX-License-Identifier: MPL-2.0 */

/* Writes the report on stdout. */

#include <inttypes.h>
#include <stdio.h>

#include "report.h"

void report_begin(const char *command)
{
	printf("{\"command\": \"%s\"", command);
}

void report_count(const char *name, uint64_t value)
{
	printf(", \"%s\": %" PRIu64, name, value);
}

void report_number(const char *name, double value)
{
	printf(", \"%s\": %.6g", name, value);
}

static void report_percentile(const char *name, const char *suffix,
	const struct histogram *histogram, double share)
{
	printf(", \"%s_%s_us\": %.6g", name, suffix,
		(double)histogram_percentile(histogram, share) / 1000);
}

void report_latency(const char *name, const struct histogram *histogram)
{
	report_percentile(name, "p50", histogram, 0.5);
	report_percentile(name, "p99", histogram, 0.99);
	report_percentile(name, "max", histogram, 1);
}

static void report_seconds(const char *name, int64_t begin_ns, int64_t end_ns)
{
	report_number(name, (double)(end_ns - begin_ns) / 1e9);
}

void report_meters(const struct meter *begin, const struct meter *end)
{
	report_seconds("seconds", begin->time_ns, end->time_ns);
	report_seconds("own_cpu_s", begin->own_cpu_ns, end->own_cpu_ns);
	report_seconds(
		"system_cpu_s", begin->system_cpu_ns, end->system_cpu_ns);
	report_count("kernel_tcp_kib", (uint64_t)end->kernel_tcp_kib);
	if (!end->server_cpu_ns)
		return;
	report_seconds(
		"server_cpu_s", begin->server_cpu_ns, end->server_cpu_ns);
	report_count("server_rss_before_kib", (uint64_t)begin->server_rss_kib);
	report_count("server_rss_kib", (uint64_t)end->server_rss_kib);
}

void report_tally(const char *name, const struct tally *tally)
{
	const char *separator = "";

	report_count(name, tally_total(tally));
	printf(", \"%s_by\": {", name);
	for (int i = FAILURE_NONE + 1; i < FAILURES; i++) {
		uint64_t count = atomic_load(&tally->counts[i]);

		if (!count)
			continue;
		printf("%s\"%s\": %" PRIu64, separator, failure_name(i), count);
		separator = ", ";
	}
	putchar('}');
}

void report_end(const struct tally *tally)
{
	report_tally("failures", tally);
	printf("}\n");
	fflush(stdout);
}
