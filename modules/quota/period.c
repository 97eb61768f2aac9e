/* SPDX-License-Identifier: MPL-2.0 */

/* Days and billing months. */

#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "period.h"

static bool digits(const char *text, int at)
{
	return isdigit((unsigned char)text[at]) &&
	       isdigit((unsigned char)text[at + 1]);
}

static int number(const char *text, int at)
{
	return (text[at] - '0') * 10 + text[at + 1] - '0';
}

int zone_read(const char *text, struct zone *out, struct relay_err *err)
{
	*out = (struct zone){.local = strcasecmp(text, "local") == 0};
	if (out->local || strcasecmp(text, "utc") == 0)
		return 0;
	if (strlen(text) != 6 || (text[0] != '+' && text[0] != '-') ||
		!digits(text, 1) || text[3] != ':' || !digits(text, 4) ||
		number(text, 1) > 14 || number(text, 4) > 59)
		return relay_fail(err,
			"\"%.40s\" is not a time zone; use local, UTC, or an "
			"offset like +01:00",
			text);
	out->offset_s = number(text, 1) * 3600 + number(text, 4) * 60;
	if (text[0] == '-')
		out->offset_s = -out->offset_s;
	return 0;
}

static void split(const struct zone *zone, int64_t now_s, struct tm *out)
{
	time_t t = (time_t)(now_s + zone->offset_s);

	memset(out, 0, sizeof(*out));
	if (zone->local)
		localtime_r(&t, out);
	else
		gmtime_r(&t, out);
}

/*
 * Midnight at the start of a day; days and months out of range are normalized.
 */
static int64_t midnight(const struct zone *zone, int year, int month, int day)
{
	struct tm tm = {.tm_year = year,
		.tm_mon = month,
		.tm_mday = day,
		.tm_isdst = -1};

	return zone->local ? (int64_t)mktime(&tm)
			   : (int64_t)timegm(&tm) - zone->offset_s;
}

struct period period_day(const struct zone *zone, int64_t now_s)
{
	struct tm now;

	split(zone, now_s, &now);
	return (struct period){
		midnight(zone, now.tm_year, now.tm_mon, now.tm_mday),
		midnight(zone, now.tm_year, now.tm_mon, now.tm_mday + 1),
	};
}

static int length_of_month(int year, int month)
{
	struct tm last = {.tm_year = year, .tm_mon = month + 1, .tm_mday = 0};

	timegm(&last); /* day 0 is the last day of the previous month */
	return last.tm_mday;
}

static int64_t anchor(
	const struct zone *zone, int year, int month, int anchor_day)
{
	int length = length_of_month(year, month);

	return midnight(
		zone, year, month, anchor_day < length ? anchor_day : length);
}

struct period period_month(
	const struct zone *zone, int64_t now_s, int anchor_day)
{
	struct tm now;
	int64_t here;

	split(zone, now_s, &now);
	here = anchor(zone, now.tm_year, now.tm_mon, anchor_day);
	if (now_s < here)
		return (struct period){
			anchor(zone, now.tm_year, now.tm_mon - 1, anchor_day),
			here};
	return (struct period){
		here, anchor(zone, now.tm_year, now.tm_mon + 1, anchor_day)};
}
