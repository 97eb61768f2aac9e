/* SPDX-License-Identifier: MPL-2.0 */

/*
 * period.h - the day and the billing month that contain a point in time.  Times
 * are seconds since 1970.  All functions are pure, except that local time
 * depends on the system's time zone.
 */
#ifndef PERIOD_H
#define PERIOD_H

#include <stdbool.h>
#include <stdint.h>

#include <strelaysrv/err.h>

struct zone {
	bool local;       /* the system's time zone, with daylight saving */
	int64_t offset_s; /* if not local: seconds east of UTC */
};

/* Includes begin, excludes end. */
struct period {
	int64_t begin_s, end_s;
};

/* Reads local, UTC, +01:00, -03:30.  0, or -1 with err. */
int zone_read(const char *text, struct zone *out, struct relay_err *err);

/* The day, from midnight to midnight. */
struct period period_day(const struct zone *zone, int64_t now_s);
/*
 * The month, from midnight at the anchor day to that of the next month.  A
 * month without that day uses its last day.
 */
struct period period_month(
	const struct zone *zone, int64_t now_s, int anchor_day);

#endif
