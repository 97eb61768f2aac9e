/* SPDX-License-Identifier: MPL-2.0 */

/* joins: all devices reconnect at once, as after a restart of the relay. */

#include "commands.h"
#include "joins.h"
#include "report.h"

static int report(const struct bench *bench, const struct devices *devices,
	const struct meter *begin, const struct meter *end)
{
	size_t joined = devices_joined(devices);

	report_begin("joins");
	report_count("devices", (uint64_t)bench->settings->devices);
	report_count("joined", joined);
	report_number("per_s",
		(double)joined /
			((double)(end->time_ns - begin->time_ns) / 1e9));
	report_latency("join", devices_times(devices));
	report_meters(begin, end);
	report_end(&bench->tally);
	return tally_total(&bench->tally) ? 1 : 0;
}

int joins_run(struct bench *bench, struct devices *devices)
{
	const struct settings *s = bench->settings;
	struct meter begin, end;

	meter_read(&begin, s->server_pid);
	devices_join(devices, (size_t)s->parallel);
	meter_read(&end, s->server_pid);
	return report(bench, devices, &begin, &end);
}

int command_joins(struct bench *bench)
{
	struct devices *devices =
		devices_create(bench, (size_t)bench->settings->devices);
	int result = devices ? joins_run(bench, devices) : 2;

	devices_destroy(devices);
	return result;
}
