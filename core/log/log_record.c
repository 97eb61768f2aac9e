/* SPDX-License-Identifier: MPL-2.0 */

/* Log records: packed on the thread that logs, unpacked on the thread that
 * delivers. */

#include <stdio.h>
#include <string.h>

#include <strelaysrv/thread.h>

#include "log/log_record.h"

/* How many of the first `len` bytes to keep, so that no UTF-8 character is cut.
 */
static size_t whole_characters(const char *text, size_t len)
{
	size_t at = len;

	while (at > 0 && len - at < 4 && (text[at - 1] & 0xc0) == 0x80)
		at--;
	/* This is the first byte of a multi-byte character, which may be cut.
	 */
	if (at > 0 && (text[at - 1] & 0xc0) == 0xc0)
		return at - 1;
	return len;
}

static void append(struct log_record *record, const char *text, size_t max)
{
	size_t len = strnlen(text, max + 1);

	if (len > max)
		len = whole_characters(text, max);
	memcpy(record->data + record->len, text, len);
	record->len += (uint32_t)len;
	record->data[record->len++] = '\0';
}

static void append_text(struct log_record *record, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));

static void append_text(struct log_record *record, const char *fmt, va_list ap)
{
	/* One byte more than the limit, so that append() notices a text that is
	 * too long. */
	char text[LOG_TEXT_MAX + 2];

	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		append(record, "(a text that cannot be formatted)",
			LOG_TEXT_MAX);
	else
		append(record, text, LOG_TEXT_MAX);
}

static void append_fields(
	struct log_record *record, const struct relay_field *fields)
{
	size_t room = LOG_FIELDS_MAX;

	for (size_t i = 0; i < LOG_FIELD_COUNT && fields[i].key; i++) {
		size_t before = record->len, key = strlen(fields[i].key);

		if (key + 3 > room)
			return;
		append(record, fields[i].key, key);
		append(record, fields[i].value ? fields[i].value : "",
			room - key - 2);
		room -= record->len - before;
	}
}

void log_record_make(struct log_record *record, const char *component,
	enum relay_level level, const struct relay_field *fields,
	const char *fmt, va_list ap)
{
	record->time_us = relay_wall_us();
	record->level = level;
	record->always = false;
	record->len = 0;
	append(record, component, LOG_COMPONENT_MAX - 1);
	append_text(record, fmt, ap);
	if (fields)
		append_fields(record, fields);
}

static const char *next_string(const struct log_record *record, size_t *at)
{
	const char *text = record->data + *at;

	*at += strlen(text) + 1;
	return text;
}

void log_record_view(const struct log_record *record, struct log_view *view)
{
	size_t at = 0, n = 0;

	view->pub.time_us = record->time_us;
	view->pub.level = record->level;
	view->pub.component = next_string(record, &at);
	view->pub.text = next_string(record, &at);
	view->pub.fields = view->fields;
	while (at < record->len && n < LOG_FIELD_COUNT) {
		view->fields[n].key = next_string(record, &at);
		view->fields[n].value = next_string(record, &at);
		n++;
	}
	view->fields[n].key = NULL;
	view->fields[n].value = NULL;
}
