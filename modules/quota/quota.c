/* SPDX-License-Identifier: MPL-2.0 */

/* quota - caps on a day's and a month's traffic. */

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include <strelaysrv/module.h>
#include <strelaysrv/units.h>

#include "clock.h"
#include "meter.h"
#include "rate-limit/rate_limit_service.h"
#include "state.h"

#define LOOK_MS 1000

struct conf {
	int64_t cap[METERS];
	int64_t anchor_day;
	const char *time_zone;
	int64_t count;
	int64_t throttle_at;
	int64_t throttle_rate;
	const char *state_file;
	int64_t save_ms;
	bool state_required;
};

/* Used on the control thread only. */
struct data {
	struct meter meter;
	struct meter_plan plan;
	struct meter_plan next; /* prepared by a reload */
	int64_t seen;           /* last value of the core's counter */
	bool unsaved;
	bool moved;  /* another process has taken over */
	bool warned; /* that rate-limit is missing */
	int64_t saved_ms;
	struct relay_log_kind unwritable, gone;
	enum meter_level level;
};

static const char *const counts[] = {"relayed", "both", NULL};

static const struct relay_option options[] = {
	RELAY_OPT(struct conf, cap[METER_DAY], int64_t, "day", RELAY_SIZE, "0",
		0, INT64_MAX / 4, "bytes in a day; 0: no cap",
		.flags = RELAY_OPTION_GUARD),
	RELAY_OPT(struct conf, cap[METER_MONTH], int64_t, "month", RELAY_SIZE,
		"0", 0, INT64_MAX / 4, "bytes in a month; 0: no cap",
		.flags = RELAY_OPTION_GUARD),
	RELAY_OPT(struct conf, anchor_day, int64_t, "anchor-day", RELAY_INT,
		"1", 1, 31, "the day on which a month begins"),
	RELAY_OPT(struct conf, time_zone, const char *, "time-zone",
		RELAY_STRING, "local", 0, 0,
		"time zone of midnight: local, UTC, +01:00"),
	RELAY_OPT(struct conf, count, int64_t, "count", RELAY_CHOICE, "both", 0,
		0,
		"relayed: count each byte once; both: when received and when "
		"sent",
		.choices = counts),
	RELAY_OPT(struct conf, throttle_at, int64_t, "throttle-at", RELAY_INT,
		"0", 0, 99,
		"percentage of a cap at which throttling begins; 0: never"),
	RELAY_OPT(struct conf, throttle_rate, int64_t, "throttle-rate",
		RELAY_RATE, "1MB/s", 1, 0,
		"throttled rate of all sessions, bytes per second, by "
		"rate-limit"),
	RELAY_OPT(struct conf, state_file, const char *, "state-file",
		RELAY_STRING, "quota.state", 1, 4000,
		"file that stores the used traffic"),
	RELAY_OPT(struct conf, save_ms, int64_t, "save-interval",
		RELAY_DURATION, "30s", 1000, 60000,
		"how often it is written; a crash loses at most that much"),
	RELAY_OPT(struct conf, state_required, bool, "state-required",
		RELAY_BOOL, "no", 0, 0,
		"whether a start without that file is an error"),
	RELAY_OPT_END};

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

static const struct relay_metric_def metrics[] = {
	{.name = "used",
		.unit = "bytes",
		.kind = RELAY_GAUGE,
		.label = "period",
		.values = periods,
		.read = read_used,
		.help = "Traffic of the current period, counted as the option "
			"count says."},
	{.name = "cap",
		.unit = "bytes",
		.kind = RELAY_GAUGE,
		.label = "period",
		.values = periods,
		.read = read_cap,
		.help = "Most traffic in a period; 0 is no cap."},
	{.name = "level",
		.unit = "",
		.kind = RELAY_GAUGE,
		.read = read_level,
		.help = "0: open, 1: throttled, 2: used up."},
};

static int make_plan(
	struct meter_plan *plan, const struct conf *conf, struct relay_err *err)
{
	struct relay_err why;

	*plan = (struct meter_plan){
		.cap = {conf->cap[METER_DAY], conf->cap[METER_MONTH]},
		.factor = conf->count + 1,
		.throttle_at = conf->throttle_at,
		.anchor_day = (int)conf->anchor_day,
	};
	if (zone_read(conf->time_zone, &plan->zone, &why) == 0)
		return 0;
	return relay_fail(err, "time-zone: %.200s", why.text);
}

static int check(const void *values, struct relay_err *err)
{
	const struct conf *conf = values;
	struct meter_plan plan;
	struct meter meter;

	if (make_plan(&plan, conf, err) != 0)
		return -1;
	return state_read(conf->state_file, &meter, err) < 0 ? -1 : 0;
}

static void save(struct relay_ctx *cx)
{
	struct data *data = cx->data;
	const struct conf *conf = cx->conf;
	struct relay_err err;

	data->saved_ms = relay_now_ms(cx);
	if (data->moved) /* the new process owns the file now */
		return;
	if (state_write(conf->state_file, &data->meter, &err) == 0)
		data->unsaved = false;
	else
		relay_log_seldom(cx, RELAY_ERROR, &data->unwritable,
			"%s; the count is lost if the server ends", err.text);
}

static int64_t traffic(struct relay_ctx *cx)
{
	return relay_metric_value(cx, "core", "session_traffic", NULL);
}

static void when_text(
	const struct zone *zone, int64_t at_s, char *out, size_t n)
{
	time_t t = (time_t)(at_s + zone->offset_s);
	struct tm tm;

	if (zone->local)
		localtime_r(&t, &tm);
	else
		gmtime_r(&t, &tm);
	if (strftime(out, n, "%Y-%m-%d %H:%M", &tm) == 0)
		out[0] = '\0';
}

static int64_t resumes_s(const struct data *data, int64_t now_s)
{
	return meter_resumes_s(&data->meter, &data->plan, data->level, now_s);
}

static void tell(struct relay_ctx *cx, int64_t now_s)
{
	const struct data *data = cx->data;
	const struct conf *conf = cx->conf;
	char rate[RELAY_RATE_TEXT], until[32];

	when_text(
		&data->plan.zone, resumes_s(data, now_s), until, sizeof(until));
	relay_rate_format(conf->throttle_rate, rate);
	switch (data->level) {
	case LEVEL_OPEN:
		relay_log(cx, RELAY_NOTICE, "traffic is open again");
		break;
	case LEVEL_THROTTLED:
		relay_log(cx, RELAY_NOTICE,
			"%" PRId64 " %% of the traffic are used: throttled to "
			"%s until %s",
			conf->throttle_at, rate, until);
		break;
	case LEVEL_EXHAUSTED:
		relay_log(cx, RELAY_WARNING,
			"the traffic is used up: no newcomers until %s", until);
		break;
	}
}

/* Looked up each time: a reload may add or remove rate-limit. */
static void throttle(struct relay_ctx *cx, enum meter_level now_at)
{
	struct data *data = cx->data;
	const struct conf *conf = cx->conf;
	struct relay_ctx *self;
	const struct rate_limit_service *limiter = relay_service_find(
		cx, RATE_LIMIT_SERVICE, RATE_LIMIT_SERVICE_VERSION, &self);
	bool wanted = conf->throttle_at && now_at != LEVEL_OPEN;

	if (limiter)
		limiter->cap(self, wanted ? conf->throttle_rate : 0);
	if (wanted && !limiter && !data->warned)
		relay_log(cx, RELAY_WARNING,
			"nobody can throttle: the module rate-limit is not "
			"enabled");
	data->warned = wanted && !limiter;
}

/* Updates count and level.  True if the file should be written at once. */
static bool judge(struct relay_ctx *cx)
{
	struct data *data = cx->data;
	int64_t now_s = clock_now_s(), total = traffic(cx);
	bool turned, changed;
	enum meter_level next;

	data->unsaved |= total != data->seen;
	meter_add(&data->meter, total - data->seen);
	data->seen = total;
	turned = meter_turn(&data->meter, &data->plan, now_s);
	next = meter_level(&data->meter, &data->plan);
	changed = next != data->level;
	data->level = next;
	if (changed)
		tell(cx, now_s);
	relay_set_closed(cx, next == LEVEL_EXHAUSTED ? "quota" : NULL);
	return turned || changed;
}

/* Whoever removes the file, and whatever unmounts its disk, resets no count:
 * this process still has it. */
static bool is_gone(struct relay_ctx *cx)
{
	struct data *data = cx->data;
	const struct conf *conf = cx->conf;

	if (data->moved || state_exists(conf->state_file))
		return false;
	relay_log_seldom(cx, RELAY_WARNING, &data->gone,
		"%s is gone; it is written again with what was used",
		conf->state_file);
	return true;
}

static void look(struct relay_ctx *cx)
{
	struct data *data = cx->data;
	const struct conf *conf = cx->conf;
	bool changed = judge(cx);

	throttle(cx, data->level);
	changed |= is_gone(cx);
	data->unsaved |= changed;
	if (data->unsaved &&
		(changed || relay_now_ms(cx) - data->saved_ms >= conf->save_ms))
		save(cx);
}

static int64_t tick(struct relay_ctx *cx, void *arg)
{
	(void)arg;
	look(cx);
	return LOOK_MS;
}

/*
 * In an upgrade the new process reads the file when it starts.  From then on it
 * also counts the traffic of this process's sessions, which the server reports
 * to it.
 */
static int64_t drain(struct relay_ctx *cx, enum relay_drain how)
{
	struct data *data = cx->data;

	if (how == RELAY_DRAIN_NONE && !data->moved) {
		look(cx);
		save(cx); /* whatever is there now */
	}
	data->moved = how == RELAY_DRAIN_MOVE;
	return 0;
}

/* Shown in /status, which strangers can read. */

static const char *const levels[] = {
	[LEVEL_OPEN] = "open",
	[LEVEL_THROTTLED] = "throttled",
	[LEVEL_EXHAUSTED] = "used up",
};

static void show(struct relay_ctx *self, struct relay_status *to)
{
	const struct data *data = self->data;
	time_t end = (time_t)resumes_s(data, clock_now_s());
	char until[32] = "";
	struct tm tm;

	if (data->level != LEVEL_OPEN && gmtime_r(&end, &tm) &&
		strftime(until, sizeof(until), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		until[0] = '\0';
	to->text(to, "state", levels[data->level]);
	to->text(to, "until", until);
	to->number(to, "dayBytes", read_used(self, METER_DAY));
	to->number(to, "dayCap", read_cap(self, METER_DAY));
	to->number(to, "monthBytes", read_used(self, METER_MONTH));
	to->number(to, "monthCap", read_cap(self, METER_MONTH));
}

static const struct relay_status_part status = {.show = show};

static int init(struct relay_ctx *cx, struct relay_err *err)
{
	if (relay_metrics_add(cx, metrics, sizeof(metrics) / sizeof(metrics[0]),
		    NULL, err) != 0)
		return -1;
	return relay_service_publish(cx, "quota" RELAY_STATUS_PART,
		       RELAY_STATUS_VERSION, &status) == 0
		       ? 0
		       : relay_fail(err, "cannot be shown in /status");
}

/* Without the file, an exhausted quota would start again at 0. */
static int read_state(struct relay_ctx *cx, struct relay_err *err)
{
	struct data *data = cx->data;
	const struct conf *conf = cx->conf;
	int result = state_read(conf->state_file, &data->meter, err);

	if (result != 1)
		return result;
	if (conf->state_required)
		return relay_fail(err,
			"%.150s does not exist, and state-required is set",
			conf->state_file);
	relay_log(cx, RELAY_WARNING,
		"no %s: the count begins at 0; if the server has run "
		"before, what was used then is forgotten",
		conf->state_file);
	return 0;
}

static int start(struct relay_ctx *cx, struct relay_err *err)
{
	struct data *data = cx->data;
	const struct conf *conf = cx->conf;

	if (make_plan(&data->plan, conf, err) != 0)
		return -1;
	if (read_state(cx, err) != 0)
		return -1;
	meter_turn(&data->meter, &data->plan, clock_now_s());
	/* Write once now, so that an error shows at the start. */
	if (state_write(conf->state_file, &data->meter, err) != 0)
		return -1;
	data->seen = traffic(cx);
	data->saved_ms = relay_now_ms(cx);
	/*
	 * Set the level before the first connection.  Not all services are
	 * visible yet, so the timer does the rest.
	 */
	judge(cx);
	return relay_timer_add(cx, 1, tick, NULL)
		       ? 0
		       : relay_fail(err, "out of memory");
}

static int reload_prepare(
	struct relay_ctx *cx, const void *values, struct relay_err *err)
{
	const struct conf *conf = values, *before = cx->conf;
	struct data *data = cx->data;

	if (make_plan(&data->next, conf, err) != 0)
		return -1;
	if (data->moved || strcmp(conf->state_file, before->state_file) == 0)
		return 0;
	return relay_file_try(conf->state_file, err);
}

static void reload_commit(struct relay_ctx *cx)
{
	struct data *data = cx->data;

	data->plan = data->next;
}

static void reload(struct relay_ctx *cx)
{
	look(cx);
	save(cx); /* the file may have changed */
}

static void stop(struct relay_ctx *cx)
{
	struct data *data = cx->data;

	throttle(cx, LEVEL_OPEN);
	meter_add(&data->meter, traffic(cx) - data->seen);
	save(cx);
}

RELAY_MODULE = {
	RELAY_MODULE_INFO(
		"quota", "1.0", "caps on a day's and a month's traffic"),
	.options = options,
	.conf_size = sizeof(struct conf),
	.data_size = sizeof(struct data),
	.check = check,
	.init = init,
	.start = start,
	.reload = reload,
	.stop = stop,
	.hooks = {.drain = drain,
		.reload_prepare = reload_prepare,
		.reload_commit = reload_commit},
};
