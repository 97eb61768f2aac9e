/* SPDX-License-Identifier: MPL-2.0 */

/* throughput: the throughput of N sessions, and its fairness. */

#include <stdlib.h>

#include <unistd.h>

#include "bulk.h"
#include "commands.h"
#include "heavy.h"
#include "report.h"
#include "threads.h"

#define GIB (1024.0 * 1024 * 1024)

struct run {
	struct pairs pairs;
	size_t carrying; /* of them; they come first */
	size_t threads;  /* of the server, that serve these; 0: not asked */
	struct threads begin_threads, end_threads;
};

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

/* CPU time of the server's threads: that of the last CPU's worker, if they
 * share the work, divided by that of the busiest. */
static void report_threads(const struct run *run)
{
	const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	const size_t most = cpus > 1 ? (size_t)cpus : 1;

	report_count("heavy", run->carrying);
	report_count("heavy_threads", run->threads);
	report_number("thread_balance",
		threads_balance(&run->end_threads,
			most < run->carrying ? most : run->carrying));
}

static void report(const struct bench *bench, const struct shares *s,
	const struct run *run, const struct meter *begin,
	const struct meter *end)
{
	double gib = (double)s->total / GIB;

	report_begin("throughput");
	report_count("sessions", (uint64_t)bench->settings->sessions);
	report_count("failed_setups", run->pairs.failed_setups);
	if (bench->settings->heavy)
		report_threads(run);
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
static int measure(struct bench *bench, struct bulk *bulk, struct run *run,
	int64_t rss_before_kib, uint64_t *received)
{
	const struct settings *s = bench->settings;
	const size_t count = run->carrying;
	struct shares shares;
	struct meter begin, end;

	bench_run_for(bench, s->warmup_ms);
	bulk_read(bulk, received);
	threads_read(&run->begin_threads, s->server_pid);
	meter_read(&begin, s->server_pid);
	bench_run_for(bench, s->seconds_ms);
	bulk_read(bulk, received + count);
	meter_read(&end, s->server_pid);
	threads_read(&run->end_threads, s->server_pid);
	threads_since(&run->end_threads, &run->begin_threads);
	begin.server_rss_kib = rss_before_kib;
	bulk_stop(bulk);
	shares = share_out(received, received + count, count);
	report(bench, &shares, run, &begin, &end);
	return tally_total(&bench->tally) ? 1 : 0;
}

static int prepare(struct bench *bench, struct run *run)
{
	const struct settings *s = bench->settings;

	run->carrying = (size_t)(s->heavy ? s->heavy : s->sessions);
	if (pairs_make(&run->pairs, bench, (size_t)s->sessions))
		return -1;
	if (!s->heavy)
		return 0;
	run->threads =
		heavy_choose(bench, &run->pairs, run->carrying, s->spread);
	if (!run->threads)
		tally_add(&bench->tally, FAILURE_LOCAL);
	return run->threads ? 0 : -1;
}

int command_throughput(struct bench *bench)
{
	static struct run run; /* too large for the stack */
	const struct settings *s = bench->settings;
	const struct bulk_plan plan = {
		.write_size = (size_t)s->write_size,
		.both_ways = s->both_ways,
		.check = s->check,
	};
	uint64_t *received = calloc(2 * (size_t)s->sessions, sizeof(*received));
	struct bulk *bulk = NULL;
	struct meter before;
	int result = 2;

	meter_read(&before, s->server_pid);
	if (!prepare(bench, &run) && received)
		bulk = bulk_start(
			run.pairs.list, run.carrying, &plan, &bench->tally);
	if (bulk)
		result = measure(
			bench, bulk, &run, before.server_rss_kib, received);
	pairs_finish(&run.pairs);
	free(received);
	return result;
}
