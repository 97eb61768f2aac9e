/* SPDX-License-Identifier: MPL-2.0 */

/* Traffic used in each period, and the resulting level. */

#include "meter.h"

/*
 * A period that begins later than this was written while the clock was wrong.
 */
#define FUTURE_S (INT64_C(35) * 24 * 3600)
/*
 * 2026-01-01: an earlier time means that the clock has not been set since boot.
 */
#define UNSET_S INT64_C(1767225600)

static struct period period_of(
	const struct meter_plan *plan, int which, int64_t now_s)
{
	return which == METER_DAY
		       ? period_day(&plan->zone, now_s)
		       : period_month(&plan->zone, now_s, plan->anchor_day);
}

bool meter_turn(
	struct meter *meter, const struct meter_plan *plan, int64_t now_s)
{
	bool turned = false;

	if (now_s < UNSET_S)
		return false;
	for (int i = 0; i < METERS; i++) {
		int64_t begin = period_of(plan, i, now_s).begin_s;

		if (begin > meter->begin_s[i]) {
			if (meter->begin_s[i])
				meter->relayed[i] = meter->others[i] = 0;
			turned = true;
		} else if (meter->begin_s[i] <= now_s + FUTURE_S) {
			continue;
		}
		meter->begin_s[i] = begin;
	}
	return turned;
}

void meter_add(struct meter *meter, int64_t bytes)
{
	for (int i = 0; i < METERS; i++)
		if (bytes > 0 && meter->relayed[i] <= INT64_MAX / 4 - bytes)
			meter->relayed[i] += bytes;
}

int64_t meter_end_s(
	const struct meter *meter, const struct meter_plan *plan, int which)
{
	return period_of(plan, which, meter->begin_s[which]).end_s;
}

int64_t meter_used(
	const struct meter *meter, const struct meter_plan *plan, int which)
{
	return (meter->relayed[which] + meter->others[which]) * plan->factor;
}

static enum meter_level level_of(
	const struct meter *meter, const struct meter_plan *plan, int which)
{
	int64_t cap = plan->cap[which], used = meter_used(meter, plan, which);

	if (!cap)
		return LEVEL_OPEN;
	if (used >= cap)
		return LEVEL_EXHAUSTED;
	/* Divide first: a cap near INT64_MAX must not overflow. */
	if (plan->throttle_at &&
		used >= cap / 100 * plan->throttle_at +
				cap % 100 * plan->throttle_at / 100)
		return LEVEL_THROTTLED;
	return LEVEL_OPEN;
}

enum meter_level meter_level(
	const struct meter *meter, const struct meter_plan *plan)
{
	enum meter_level day = level_of(meter, plan, METER_DAY);
	enum meter_level month = level_of(meter, plan, METER_MONTH);

	return day > month ? day : month;
}

int64_t meter_resumes_s(const struct meter *meter,
	const struct meter_plan *plan, enum meter_level level, int64_t now_s)
{
	int64_t latest = now_s;

	for (int i = 0; i < METERS; i++) {
		/* A clock that was set back has to reach that time first. */
		int64_t begin = meter->begin_s[i];
		int64_t end =
			period_of(plan, i, now_s > begin ? now_s : begin).end_s;

		if (level_of(meter, plan, i) >= level && end > latest)
			latest = end;
	}
	return latest;
}
