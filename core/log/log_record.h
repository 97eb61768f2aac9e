/* SPDX-License-Identifier: MPL-2.0 */

/*
 * A log record as it is passed between threads: a copy of bounded size.
 */
#ifndef LOG_RECORD_H
#define LOG_RECORD_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <strelaysrv/log.h>

#define LOG_COMPONENT_MAX 64   /* bytes, with the NUL */
#define LOG_TEXT_MAX      1000 /* bytes, without the NUL */
#define LOG_FIELDS_MAX    1000 /* bytes of all keys and values, with NULs */
#define LOG_FIELD_COUNT   32

/*
 * The maximal length of a line of text, with its newline.  A pipe that poll()
 * reports as writable accepts this much without blocking, in one piece.
 */
#define LOG_LINE_MAX 4096

struct log_record {
	int64_t time_us;
	enum relay_level level;
	bool always;  /* for all sinks, whatever their levels are */
	uint32_t len; /* of data in use */
	/* component, text, then key, value, key, value; each with its NUL */
	char data[LOG_COMPONENT_MAX + LOG_TEXT_MAX + LOG_FIELDS_MAX + 1];
};

/* How many bytes of the record are in use. */
static inline size_t log_record_size(const struct log_record *record)
{
	return offsetof(struct log_record, data) + record->len;
}

/* Cannot fail; text that is too long is truncated between two characters. */
void log_record_make(struct log_record *record, const char *component,
	enum relay_level level, const struct relay_field *fields,
	const char *fmt, va_list ap) __attribute__((format(printf, 5, 0)));

/* The record as sinks see it; both borrow from `record`. */
struct log_view {
	struct relay_log_record pub;
	struct relay_field fields[LOG_FIELD_COUNT + 1];
};
void log_record_view(const struct log_record *record, struct log_view *view);

#endif
