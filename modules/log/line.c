/* SPDX-License-Identifier: MPL-2.0 */

/* Formats a log record as one line. */

#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include <cjson/cJSON.h>

#include "line.h"

/* Most bytes of escaped text; a record has at most 1,000 unescaped. */
#define ESCAPED_MAX 4096
/* The text is shortened to this if the line is still too long. */
#define SHORT_MAX 1024

int line_severity(enum relay_level level)
{
	static const int severities[] = {
		[RELAY_ERROR] = LOG_ERR,
		[RELAY_WARNING] = LOG_WARNING,
		[RELAY_NOTICE] = LOG_NOTICE,
		[RELAY_INFO] = LOG_INFO,
		[RELAY_DEBUG] = LOG_DEBUG,
	};

	return severities[level];
}

size_t line_text(const struct relay_log_record *record, char *out, size_t cap)
{
	return relay_log_text(record, out, cap);
}

size_t line_bare(const struct relay_log_record *record, char *out, size_t cap)
{
	size_t len = relay_log_text(record, out, cap);
	char *rest = out;

	/* Skip date, time and level: three words, also after escaping. */
	for (int i = 0; i < 3; i++) {
		char *space = strchr(rest, ' ');

		if (!space)
			return len;
		rest = space + 1;
	}
	len -= (size_t)(rest - out);
	memmove(out, rest, len + 1);
	return len;
}

static void format_time(int64_t time_us, char *out, size_t cap)
{
	time_t seconds = (time_t)(time_us / 1000000);
	char day[40], zone[8];
	struct tm tm;

	if (!localtime_r(&seconds, &tm))
		memset(&tm, 0, sizeof(tm));
	if (!strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm))
		day[0] = '\0';
	if (strftime(zone, sizeof(zone), "%z", &tm) != 5)
		memcpy(zone, "+0000", 6);
	(void)snprintf(out, cap, "%s.%06d%.3s:%.2s", day,
		(int)(time_us % 1000000), zone, zone + 3);
}

/* Escape first: JSON requires UTF-8, and data from peers may be invalid. */
static bool add_text(
	cJSON *object, const char *key, const char *text, size_t max)
{
	char clean[ESCAPED_MAX];

	(void)relay_log_escape(text, clean, max);
	return cJSON_AddStringToObject(object, key, clean) != NULL;
}

static bool add_head(
	cJSON *object, const struct relay_log_record *record, size_t text_max)
{
	char time[64];

	format_time(record->time_us, time, sizeof(time));
	return add_text(object, "time", time, sizeof(time)) &&
	       add_text(object, "level", relay_level_word(record->level),
		       ESCAPED_MAX) &&
	       add_text(object, "component", record->component, ESCAPED_MAX) &&
	       add_text(object, "message", record->text, text_max);
}

/*
 * Rename a field named like one of ours: a reader might use the last of two
 * equal names.
 */
static bool add_field(cJSON *object, const struct relay_field *field)
{
	char key[80];

	(void)snprintf(key, sizeof(key), "%s%.70s",
		cJSON_HasObjectItem(object, field->key) ? "field_" : "",
		field->key);
	return add_text(
		object, key, field->value ? field->value : "", ESCAPED_MAX);
}

static size_t print_object(cJSON *object, char *out, size_t cap)
{
	if (!cJSON_PrintPreallocated(object, out, (int)cap, false))
		return 0;
	return strlen(out);
}

static size_t print_whole(
	const struct relay_log_record *record, char *out, size_t cap)
{
	cJSON *object = cJSON_CreateObject();
	size_t len = 0;
	bool good = object && add_head(object, record, ESCAPED_MAX);

	for (const struct relay_field *f = record->fields; good && f->key; f++)
		good = add_field(object, f);
	if (good)
		len = print_object(object, out, cap);
	cJSON_Delete(object);
	return len;
}

static size_t print_short(
	const struct relay_log_record *record, char *out, size_t cap)
{
	cJSON *object = cJSON_CreateObject();
	size_t len = 0;

	if (object && add_head(object, record, SHORT_MAX) &&
		cJSON_AddTrueToObject(object, "truncated"))
		len = print_object(object, out, cap);
	cJSON_Delete(object);
	return len;
}

size_t line_json(const struct relay_log_record *record, char *out, size_t cap)
{
	size_t len = print_whole(record, out, cap);

	return len ? len : print_short(record, out, cap);
}
