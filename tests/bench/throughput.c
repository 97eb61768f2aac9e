/* SPDX-License-Identifier: MPL-2.0 */

/* throughput: the throughput of N sessions, and its fairness. */

#include <stdlib.h>

#include "bulk.h"
#include "commands.h"
#include "report.h"

#define GIB (1024.0 * 1024 * 1024)

/* Statistics of each session's bytes between two readings. */
struct shares {
	uint64_t total, slowest, fastest;
};

static struct shares share_out(
	const uint64_t *before, const uint64_t *after, size_t count)
{
	struct shares s = {0, UINT64_MAX, 0};

	for (size_t i = 0; i < count; i++) {
		uint64_t n = after[i] - before[i];

		s.total += n;
		if (n < s.slowest)
			s.slowest = n;
		if (n > s.fastest)
			s.fastest = n;
	}
	return s;
}

static void report(const struct bench *bench, const struct shares *s,
	uint64_t failed_setups, const struct meter *begin,
	const struct meter *end)
{
	double gib = (double)s->total / GIB;

	report_begin("throughput");
	report_count("sessions", (uint64_t)bench->settings->sessions);
	report_count("failed_setups", failed_setups);
	report_number("gib", gib);
	report_number("gib_per_s",
		gib / ((double)(end->time_ns - begin->time_ns) / 1e9));
	report_count("slowest_bytes", s->slowest);
	report_count("fastest_bytes", s->fastest);
	report_number("fairness",
		s->fastest ? (double)s->slowest / (double)s->fastest : 0);
	report_meters(begin, end);
	report_end(&bench->tally);
}

/* Read memory before the sessions exist. */
static int measure(struct bench *bench, struct bulk *bulk,
	uint64_t failed_setups, int64_t rss_before_kib, uint64_t *received)
{
	const struct settings *s = bench->settings;
	size_t count = (size_t)s->sessions;
	struct shares shares;
	struct meter begin, end;

	bench_run_for(bench, s->warmup_ms);
	bulk_read(bulk, received);
	meter_read(&begin, s->server_pid);
	bench_run_for(bench, s->seconds_ms);
	bulk_read(bulk, received + count);
	meter_read(&end, s->server_pid);
	begin.server_rss_kib = rss_before_kib;
	bulk_stop(bulk);
	shares = share_out(received, received + count, count);
	report(bench, &shares, failed_setups, &begin, &end);
	return tally_total(&bench->tally) ? 1 : 0;
}

int command_throughput(struct bench *bench)
{
	const struct settings *s = bench->settings;
	size_t count = (size_t)s->sessions;
	const struct bulk_plan plan = {
		.write_size = (size_t)s->write_size,
		.both_ways = s->both_ways,
		.check = s->check,
	};
	uint64_t *received = calloc(2 * count, sizeof(*received));
	struct pairs pairs;
	struct bulk *bulk = NULL;
	struct meter before;
	int result = 2;

	meter_read(&before, s->server_pid);
	if (!pairs_make(&pairs, bench, count) && received)
		bulk = bulk_start(pairs.list, count, &plan, &bench->tally);
	if (bulk)
		result = measure(bench, bulk, pairs.failed_setups,
			before.server_rss_kib, received);
	pairs_finish(&pairs);
	free(received);
	return result;
}
