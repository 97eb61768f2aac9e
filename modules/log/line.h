/* SPDX-License-Identifier: MPL-2.0 */

/*
 * A log record as the bytes of one line, in each of the forms.
 */
#ifndef LINE_H
#define LINE_H

#include <stddef.h>

#include <strelaysrv/log.h>

/* What a pipe takes as one piece, and at once when it takes anything. */
#define LINE_MAX_BYTES 4096

/* All return the length, less than cap; out is terminated, without line end. */

/* As relay_log_text(). */
size_t line_text(const struct relay_log_record *record, char *out, size_t cap);

/* The same without time and level, for readers that note these themselves. */
size_t line_bare(const struct relay_log_record *record, char *out, size_t cap);

/*
 * A JSON object: time (RFC 3339, microseconds, zone), level, component,
 * message, and the fields.  If cap is too small the fields are left out, and
 * "truncated" says so.  0 without memory.
 */
size_t line_json(const struct relay_log_record *record, char *out, size_t cap);

/* Severity of syslog(3), 3 to 7. */
int line_severity(enum relay_level level);

#endif
