/* SPDX-License-Identifier: MPL-2.0 */

/*
 * meter.h - traffic used in each period, and the resulting level.  Pure; time
 * is passed in.
 */
#ifndef METER_H
#define METER_H

#include <stdbool.h>
#include <stdint.h>

#include "period.h"

enum { METER_DAY, METER_MONTH, METERS };

/* The options; a cap of 0 means no cap. */
struct meter_plan {
	int64_t cap[METERS]; /* bytes */
	int64_t factor;      /* how often a relayed byte counts: 1 or 2 */
	int64_t throttle_at; /* per cent; 0: never */
	int anchor_day;
	struct zone zone;
};

struct meter {
	int64_t begin_s[METERS]; /* start of the period; 0: unknown */
	int64_t relayed[METERS]; /* relayed bytes in the period, each counted
				    once */
	int64_t others[METERS];  /* the same of the other nodes of a cluster */
};

enum meter_level { LEVEL_OPEN, LEVEL_THROTTLED, LEVEL_EXHAUSTED };

/*
 * Advances to the periods that contain now_s.  True if a new period has begun.
 * A clock that was set back, or not set yet, begins no period, so that the used
 * traffic is not lost.
 */
bool meter_turn(
	struct meter *meter, const struct meter_plan *plan, int64_t now_s);
void meter_add(struct meter *meter, int64_t bytes);

/* Used bytes, with those of other nodes, counted as the provider does (see
 * factor). */
int64_t meter_used(
	const struct meter *meter, const struct meter_plan *plan, int which);
/* When the period ends that is counted now. */
int64_t meter_end_s(
	const struct meter *meter, const struct meter_plan *plan, int which);
/* The higher level of both periods. */
enum meter_level meter_level(
	const struct meter *meter, const struct meter_plan *plan);
/* When all periods that are exhausted (or throttled) will have ended. */
int64_t meter_resumes_s(const struct meter *meter,
	const struct meter_plan *plan, enum meter_level level, int64_t now_s);

#endif
