/* SPDX-License-Identifier: MPL-2.0 */

/*
 * A log record as it is carried between threads: a copy of bounded size.
 */
#ifndef LOG_RECORD_H
#define LOG_RECORD_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <strelaysrv/log.h>

#define LOG_COMPONENT_MAX 64 /* bytes, each with a NUL: */
#define LOG_TEXT_MAX      1000
#define LOG_FIELDS_MAX    1000 /* of all keys and values together */
#define LOG_FIELD_COUNT   32

/*
 * A line of text never gets longer, its end included: what poll() calls a
 * writable pipe takes this much at once, and as one piece.
 */
#define LOG_LINE_MAX 4096

struct log_record {
	int64_t time_us;
	enum relay_level level;
	uint32_t len; /* of data in use */
	/* component, text, then key, value, key, value; each with its NUL */
	char data[LOG_COMPONENT_MAX + LOG_TEXT_MAX + LOG_FIELDS_MAX + 1];
};

/* Of the record's bytes, how many carry something. */
static inline size_t log_record_size(const struct log_record *record)
{
	return offsetof(struct log_record, data) + record->len;
}

/* Cannot fail; what is too long is cut between two characters. */
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
