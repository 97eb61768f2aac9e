/* SPDX-License-Identifier: MPL-2.0 */

/* Formats a log record as one line, in each of the formats. */
#ifndef LINE_H
#define LINE_H

#include <stddef.h>

#include <strelaysrv/log.h>

/* A pipe takes this much atomically (PIPE_BUF). */
#define LINE_MAX_BYTES 4096

/*
 * All return the length, less than cap; out is NUL-terminated, without a line
 * end.
 */

/* As relay_log_text(). */
size_t line_text(const struct relay_log_record *record, char *out, size_t cap);

/* The same without time and level, for readers that store these themselves. */
size_t line_bare(const struct relay_log_record *record, char *out, size_t cap);

/*
 * A JSON object: time (RFC 3339, microseconds, zone), level, component,
 * message, and the fields.  If cap is too small, the fields are omitted and
 * "truncated" is true.  0 if memory is short.
 */
size_t line_json(const struct relay_log_record *record, char *out, size_t cap);

/* Severity of syslog(3), 3 to 7. */
int line_severity(enum relay_level level);

#endif
