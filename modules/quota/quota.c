/* SPDX-License-Identifier: MPL-2.0 */

/* quota - caps on a day's and a month's traffic. */

#include <string.h>

#include <strelaysrv/module.h>

#include "clock.h"
#include "data.h"
#include "level.h"
#include "others.h"
#include "shown.h"
#include "stored.h"

#define LOOK_MS 1000

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
		"file that stores the used traffic",
		.flags = RELAY_OPTION_WRITTEN),
	RELAY_OPT(struct conf, save_ms, int64_t, "save-interval",
		RELAY_DURATION, "30s", 1000, 60000,
		"how often it is written; a crash loses at most that much"),
	RELAY_OPT(struct conf, state_required, bool, "state-required",
		RELAY_BOOL, "yes", 0, 0,
		"whether a start without that file is an error if there is a "
		"cap"),
	RELAY_OPT(struct conf, shared, bool, "shared", RELAY_BOOL, "no", 0, 0,
		"whether the caps are of all nodes of a cluster together"),
	RELAY_OPT_END};

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
	struct meter_plan plan;

	return make_plan(&plan, values, err);
}

static void look(struct relay_ctx *cx)
{
	struct data *data = cx->data;
	const struct conf *conf = cx->conf;
	bool changed = others_count(cx);

	changed |= level_judge(cx);
	level_throttle(cx, data->level);
	data->unsaved |= changed;
	if (data->unsaved &&
		(changed || relay_now_ms(cx) - data->saved_ms >= conf->save_ms))
		stored_save(cx);
	else
		stored_look(cx);
}

static int64_t tick(struct relay_ctx *cx, void *arg)
{
	(void)arg;
	look(cx);
	return LOOK_MS;
}

/*
 * In an upgrade the new process reads the file when it starts; the server waits
 * with that until the work that saves has ended, or hangs.  From then on it
 * also counts the traffic of this process's sessions, which the server reports
 * to it.
 */
static int64_t drain(struct relay_ctx *cx, enum relay_drain how)
{
	struct data *data = cx->data;

	if (how == RELAY_DRAIN_NONE && !data->moved) {
		look(cx);
		stored_save(cx); /* whether or not the file exists */
	}
	data->moved = how == RELAY_DRAIN_MOVE;
	if (data->moved)
		relay_work_drop(cx); /* it must not overwrite what the new
					process writes */
	return 0;
}

static int start(struct relay_ctx *cx, struct relay_err *err)
{
	struct data *data = cx->data;

	if (make_plan(&data->plan, cx->conf, err) != 0)
		return -1;
	stored_take(cx);
	meter_turn(&data->meter, &data->plan, clock_now_s());
	names_turn(&data->names, data->meter.begin_s[METER_MONTH]);
	/* Write once now, so that an error shows at the start. */
	if (stored_begin(cx, err) != 0)
		return -1;
	data->seen = level_traffic(cx);
	data->saved_ms = relay_now_ms(cx);
	/*
	 * Set the level before the first connection.  Not all services are
	 * visible yet, so the timer does the rest.
	 */
	level_judge(cx);
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
	return stored_try(cx, conf->state_file, err);
}

static void reload_commit(struct relay_ctx *cx)
{
	struct data *data = cx->data;

	data->plan = data->next;
}

static void reload(struct relay_ctx *cx)
{
	look(cx);
	stored_save(cx); /* the file may have changed */
}

static void stop(struct relay_ctx *cx)
{
	struct data *data = cx->data;

	level_throttle(cx, LEVEL_OPEN);
	meter_add(&data->meter, level_traffic(cx) - data->seen);
	stored_finish(cx);
}

static void fini(struct relay_ctx *cx)
{
	names_free(&((struct data *)cx->data)->names);
}

RELAY_MODULE = {
	RELAY_MODULE_INFO(
		"quota", "1.0", "caps on a day's and a month's traffic"),
	.options = options,
	.flags = RELAY_GUARD | RELAY_CONFINED,
	.conf_size = sizeof(struct conf),
	.data_size = sizeof(struct data),
	.check = check,
	.init = shown_init,
	.start = start,
	.reload = reload,
	.stop = stop,
	.fini = fini,
	.hooks = {.drain = drain,
		.reload_prepare = reload_prepare,
		.reload_commit = reload_commit,
		.files_read = stored_files_read,
		.files_free = stored_files_free},
};
