/* SPDX-License-Identifier: MPL-2.0 */

/* setups: measures how fast sessions are set up, from the request to the first
 * byte, and ended. */

#include <unistd.h>

#include "commands.h"
#include "meetings.h"
#include "report.h"

struct setups {
	struct bench *bench;
	struct meter begin;
	struct histogram times;
};

static void begun(const uint8_t *id, void *arg)
{
	struct setups *s = arg;

	(void)id;
	meter_read(&s->begin, s->bench->settings->server_pid);
}

static void met(int client, int server, int64_t took_ns, void *arg)
{
	struct setups *s = arg;

	histogram_add(&s->times, took_ns);
	close(client);
	close(server);
}

int command_setups(struct bench *bench)
{
	const struct settings *s = bench->settings;
	static struct setups setups; /* too large for the stack */
	const struct meetings_plan plan = {
		.count = (size_t)s->count,
		.enough = (size_t)s->count,
		.parallel = (size_t)s->parallel,
		.both_at_once = s->both_at_once,
		.begun = begun,
		.met = met,
		.arg = &setups,
	};
	struct meetings *meetings;
	struct meter end;

	setups.bench = bench;
	meetings = meetings_run(bench, &plan);
	if (!meetings)
		return 2;
	meter_read(&end, s->server_pid);
	report_begin("setups");
	report_count("count", (uint64_t)s->count);
	report_count("done", setups.times.count);
	report_number("per_s",
		(double)setups.times.count /
			((double)(end.time_ns - setups.begin.time_ns) / 1e9));
	report_latency("setup", &setups.times);
	report_meters(&setups.begin, &end);
	report_end(&bench->tally);
	meetings_destroy(meetings);
	return tally_total(&bench->tally) ? 1 : 0;
}
