/* SPDX-License-Identifier: MPL-2.0 */

#include <inttypes.h>
#include <time.h>

#include <strelaysrv/units.h>

#include "clock.h"
#include "data.h"
#include "level.h"
#include "rate-limit/rate_limit_service.h"

int64_t level_traffic(struct relay_ctx *cx)
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

int64_t level_resumes_s(const struct relay_ctx *cx, int64_t now_s)
{
	const struct data *data = cx->data;

	return meter_resumes_s(&data->meter, &data->plan, data->level, now_s);
}

static void tell(struct relay_ctx *cx, int64_t now_s)
{
	const struct data *data = cx->data;
	const struct conf *conf = cx->conf;
	char rate[RELAY_RATE_TEXT], until[32];

	when_text(&data->plan.zone, level_resumes_s(cx, now_s), until,
		sizeof(until));
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
void level_throttle(struct relay_ctx *cx, enum meter_level now_at)
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
			"cannot throttle: the module rate-limit is not "
			"enabled");
	data->warned = wanted && !limiter;
}

bool level_judge(struct relay_ctx *cx)
{
	struct data *data = cx->data;
	int64_t now_s = clock_now_s(), total = level_traffic(cx);
	bool turned, changed;
	enum meter_level next;

	data->unsaved |= total != data->seen;
	meter_add(&data->meter, total - data->seen);
	data->seen = total;
	turned = meter_turn(&data->meter, &data->plan, now_s);
	names_turn(&data->names, data->meter.begin_s[METER_MONTH]);
	next = meter_level(&data->meter, &data->plan);
	changed = next != data->level;
	data->level = next;
	if (changed)
		tell(cx, now_s);
	relay_set_closed(cx, next == LEVEL_EXHAUSTED ? "quota" : NULL);
	return turned || changed;
}
