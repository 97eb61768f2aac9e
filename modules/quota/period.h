/* SPDX-License-Identifier: MPL-2.0 */

/*
 * period.h - the day and the month that a moment falls into, as a provider
 * counts them.  Moments are seconds since 1970; all of it is pure, except that
 * local time asks the system.
 */
#ifndef PERIOD_H
#define PERIOD_H

#include <stdbool.h>
#include <stdint.h>

#include <strelaysrv/err.h>

struct zone {
	bool local;       /* the system's, with its summer time */
	int64_t offset_s; /* else: seconds east of UTC */
};

/* From begin to just before end. */
struct period {
	int64_t begin_s, end_s;
};

/* Reads local, UTC, +01:00, -03:30.  0, or -1 with err. */
int zone_read(const char *text, struct zone *out, struct relay_err *err);

/* From midnight to midnight. */
struct period period_day(const struct zone *zone, int64_t now_s);
/*
 * From midnight before the anchor day of one month to that of the next; in a
 * month that does not have it, its last day counts.
 */
struct period period_month(
	const struct zone *zone, int64_t now_s, int anchor_day);

#endif
