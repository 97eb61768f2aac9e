/* SPDX-License-Identifier: MPL-2.0 */

#include <inttypes.h>
#include <time.h>

#include "clock.h"
#include "data.h"
#include "level.h"
#include "quota_service.h"
#include "shown.h"

static const char *const periods[] = {
	[METER_DAY] = "day", [METER_MONTH] = "month", [METERS] = NULL};

static int64_t read_used(struct relay_ctx *cx, unsigned value)
{
	const struct data *data = cx->data;

	return meter_used(&data->meter, &data->plan, (int)value);
}

static int64_t read_cap(struct relay_ctx *cx, unsigned value)
{
	const struct data *data = cx->data;

	return data->plan.cap[value];
}

static int64_t read_level(struct relay_ctx *cx, unsigned value)
{
	const struct data *data = cx->data;

	(void)value;
	return data->level;
}

static int64_t read_others(struct relay_ctx *cx, unsigned value)
{
	const struct data *data = cx->data;

	return data->meter.others[value] * data->plan.factor;
}

static int64_t read_nodes(struct relay_ctx *cx, unsigned value)
{
	const struct data *data = cx->data;

	(void)value;
	return data->nodes;
}

enum { NAMES_REPLACED, NAMES_REFUSED };
static const char *const results[] = {
	[NAMES_REPLACED] = "replaced",
	[NAMES_REFUSED] = "refused",
	[NAMES_REFUSED + 1] = NULL,
};

static int64_t read_names(struct relay_ctx *cx, unsigned value)
{
	const struct data *data = cx->data;

	return value == NAMES_REPLACED ? data->names.replaced : data->refused;
}

static const struct relay_metric_def metrics[] = {
	{.name = "used",
		.unit = "bytes",
		.kind = RELAY_GAUGE,
		.label = "period",
		.values = periods,
		.read = read_used,
		.help = "Bytes used in the current period, counted as the "
			"option count says."},
	{.name = "others",
		.unit = "bytes",
		.kind = RELAY_GAUGE,
		.label = "period",
		.values = periods,
		.read = read_others,
		.help = "Of these, what other nodes of the cluster have used, "
			"with the option shared."},
	{.name = "nodes",
		.unit = "",
		.kind = RELAY_GAUGE,
		.read = read_nodes,
		.help = "Other nodes that have used traffic in this month, "
			"with the option shared."},
	{.name = "cap",
		.unit = "bytes",
		.kind = RELAY_GAUGE,
		.label = "period",
		.values = periods,
		.read = read_cap,
		.help = "The most bytes in a period; 0: no cap."},
	{.name = "level",
		.unit = "",
		.kind = RELAY_GAUGE,
		.read = read_level,
		.help = "State of the quota: 0 open, 1 throttled, 2 used up."},
	{.name = "names",
		.unit = "",
		.kind = RELAY_COUNTER,
		.label = "result",
		.values = results,
		.read = read_names,
		.help = "Names that gave way because too many have used "
			"traffic this month, and names that could not be "
			"counted without memory."},
};

/* Shown in /status, which strangers can read. */

static const char *const levels[] = {
	[LEVEL_OPEN] = "open",
	[LEVEL_THROTTLED] = "throttled",
	[LEVEL_EXHAUSTED] = "used up",
};

/* When the level ends, in UTC; "" if it is open. */
static void describe_end(struct relay_ctx *cx, char until[32])
{
	const struct data *data = cx->data;
	time_t end = (time_t)level_resumes_s(cx, clock_now_s());
	struct tm tm;

	if (data->level == LEVEL_OPEN || !gmtime_r(&end, &tm) ||
		strftime(until, 32, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		until[0] = '\0';
}

static void show(struct relay_ctx *self, struct relay_status *to)
{
	const struct data *data = self->data;
	char until[32];

	describe_end(self, until);
	to->text(to, "state", levels[data->level]);
	to->text(to, "until", until);
	to->number(to, "dayBytes", read_used(self, METER_DAY));
	to->number(to, "dayCap", read_cap(self, METER_DAY));
	to->number(to, "monthBytes", read_used(self, METER_MONTH));
	to->number(to, "monthCap", read_cap(self, METER_MONTH));
}

static const struct relay_status_part status = {.show = show};

/* The command quota. */

/* A second table, if there are named tokens. */
static void tell_names(const struct data *data, struct relay_answer *to)
{
	static const struct relay_column columns[] = {
		{"name", RELAY_COLUMN_TEXT}, {"used", RELAY_COLUMN_BYTES}};

	if (data->names.count)
		to->table(to, "names", columns, 2);
	for (size_t i = 0; i < data->names.count; i++) {
		to->text(to, data->names.list[i].name);
		to->number(to, data->names.list[i].relayed * data->plan.factor);
	}
}

static enum relay_step tell(struct relay_ctx *cx, struct relay_answer *to)
{
	static const struct relay_column columns[] = {
		{"period", RELAY_COLUMN_TEXT}, {"used", RELAY_COLUMN_BYTES},
		{"cap", RELAY_COLUMN_BYTES}, {"used %", RELAY_COLUMN_COUNT}};
	const struct data *data = cx->data;
	char until[32];

	if (to->count) {
		to->fail(to, RELAY_COMMAND_USAGE, "usage: quota");
		return RELAY_STEP_OVER;
	}
	to->table(to, "quota", columns, sizeof(columns) / sizeof(columns[0]));
	for (unsigned i = 0; i < METERS; i++) {
		int64_t used = read_used(cx, i), cap = read_cap(cx, i);

		to->text(to, periods[i]);
		to->number(to, used);
		if (cap > 0) {
			to->number(to, cap);
			to->number(to,
				(int64_t)(100.0 * (double)used / (double)cap));
		} else {
			to->none(to);
			to->none(to);
		}
	}
	tell_names(data, to);
	if (((const struct conf *)cx->conf)->shared)
		to->say(to,
			"counted together with %" PRId64 " other nodes of the "
			"cluster%s",
			data->nodes,
			data->alone ? ": the module cluster is not enabled"
				    : "");
	describe_end(cx, until);
	to->say(to, "%s%s%s", levels[data->level], until[0] ? " until " : "",
		until);
	return RELAY_STEP_OVER;
}

static int64_t spend(struct relay_ctx *self, const char *name, int64_t bytes)
{
	struct data *data = self->data;
	int64_t replaced = data->names.replaced;
	int64_t relayed = names_add(&data->names, name, bytes);

	data->unsaved |= bytes > 0;
	if (data->names.replaced != replaced)
		relay_log_seldom(self, RELAY_WARNING, &data->full,
			"more than %d names have used traffic this month: who "
			"is not among them counts from %" PRId64 " bytes on",
			NAMES_MOST, data->names.forgotten);
	if (relayed < 0) {
		data->refused++;
		relay_log_seldom(self, RELAY_ERROR, &data->uncounted,
			"no memory to count what a token or device uses: its "
			"quota is taken for used up");
	}
	return relayed < 0 ? -1 : relayed * data->plan.factor;
}

static const struct quota_service service = {.spend = spend};

static const struct relay_command_def command = {.name = "quota",
	.help = "the traffic of this day and month, and the caps",
	.run = tell};

int shown_init(struct relay_ctx *cx, struct relay_err *err)
{
	if (relay_metrics_add(cx, metrics, sizeof(metrics) / sizeof(metrics[0]),
		    NULL, err) != 0)
		return -1;
	if (relay_command_add(cx, &command) != 0)
		return relay_fail(err, "cannot add the command quota");
	if (relay_service_publish(
		    cx, QUOTA_SERVICE, QUOTA_SERVICE_VERSION, &service) != 0)
		return relay_fail(
			err, "cannot offer the service %s", QUOTA_SERVICE);
	return relay_service_publish(cx, "quota" RELAY_STATUS_PART,
		       RELAY_STATUS_VERSION, &status) == 0
		       ? 0
		       : relay_fail(
				 err, "cannot publish the service for /status");
}
