/* SPDX-License-Identifier: MPL-2.0 */

/*
 * meter.h - what was used of each period, and what follows from it.  Pure; time
 * is passed in.
 */
#ifndef METER_H
#define METER_H

#include <stdbool.h>
#include <stdint.h>

#include "period.h"

enum { METER_DAY, METER_MONTH, METERS };

/* What the options say; caps of 0 are none. */
struct meter_plan {
	int64_t cap[METERS]; /* bytes */
	int64_t factor;      /* how often a relayed byte counts: 1 or 2 */
	int64_t throttle_at; /* per cent; 0: never */
	int anchor_day;
	struct zone zone;
};

struct meter {
	int64_t begin_s[METERS]; /* of the period; 0: not known yet */
	int64_t relayed[METERS]; /* bytes in it, each once */
};

enum meter_level { LEVEL_OPEN, LEVEL_THROTTLED, LEVEL_EXHAUSTED };

/*
 * Goes on to the periods that now_s falls into.  True if one of them is new.  A
 * clock that was set back begins none, nor does one that was not set yet:
 * nothing that was used is forgotten.
 */
bool meter_turn(
	struct meter *meter, const struct meter_plan *plan, int64_t now_s);
void meter_add(struct meter *meter, int64_t bytes);

/* As the provider counts. */
int64_t meter_used(
	const struct meter *meter, const struct meter_plan *plan, int which);
/* The strictest of both periods. */
enum meter_level meter_level(
	const struct meter *meter, const struct meter_plan *plan);
/* When the last of the periods that are exhausted (or throttled) ends. */
int64_t meter_resumes_s(const struct meter *meter,
	const struct meter_plan *plan, enum meter_level level, int64_t now_s);

#endif
