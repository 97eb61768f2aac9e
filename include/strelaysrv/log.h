/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Log: records with a level, a component, a text, and named fields.
 *
 * Records of all threads pass through one bounded queue to the sinks, which run
 * on the control thread; when it is full, records are dropped and counted.
 * Without a sink they go to stderr.  What a sink logs itself goes to stderr.
 */
#ifndef RELAY_LOG_H
#define RELAY_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct relay_ctx;

enum relay_level {
	RELAY_ERROR,   /* somebody must act, or the server ends */
	RELAY_WARNING, /* works, but not as the operator means it to */
	RELAY_NOTICE,  /* what an operator wants to see: start, URI, stop */
	RELAY_INFO,    /* what happens: joins to a pool, reloads */
	RELAY_DEBUG,   /* every connection and refusal */
};

/* "error" ... "debug".  [*] */
const char *relay_level_word(enum relay_level level);

/* A named value that belongs to a record; both strings are copied. */
struct relay_field {
	const char *key; /* letters, digits, '_'; NULL ends a list */
	const char *value;
};

/*
 * Writes a record; the text is cut at 1,000 bytes, the fields at 1,000 more.
 * [*]  Never a secret, never relayed bytes.  `fields` may be NULL.
 */
void relay_log(const struct relay_ctx *cx, enum relay_level level,
	const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void relay_log_fields(const struct relay_ctx *cx, enum relay_level level,
	const struct relay_field *fields, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/*
 * A kind of record that a flood would make many of: a zeroed one for each, that
 * lives as long as the module and is shared by all threads.
 */
struct relay_log_kind {
	int64_t due_ms;
	uint64_t left_out;
};
/*
 * As relay_log(), but at most one record of a kind in ten seconds; the next one
 * has a field `left_out` that says how many were not written.  [*]
 */
void relay_log_seldom(const struct relay_ctx *cx, enum relay_level level,
	struct relay_log_kind *kind, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Whether a record of that level would reach anyone.  [*] */
bool relay_log_wanted(enum relay_level level);

struct relay_log_record {
	int64_t time_us; /* wall clock */
	enum relay_level level;
	const char *component; /* module name, or "core" */
	const char *text; /* as it was given: escape what leaves the process */
	const struct relay_field *fields; /* never NULL; ended by a NULL key */
};

/* [C]  One call a record; it must not block for long. */
typedef void relay_log_sink_fn(
	struct relay_ctx *cx, const struct relay_log_record *record);

/*
 * Adds a sink for records up to `level`.  [C] init.  One of each module.  0, or
 * -1 if the module has one.
 */
int relay_log_sink(
	struct relay_ctx *cx, enum relay_level level, relay_log_sink_fn *fn);
/* Changes the level of the module's own sink.  [C] */
void relay_log_sink_level(struct relay_ctx *cx, enum relay_level level);

/*
 * `text` with control characters and whatever is not UTF-8 as \xNN, so that
 * nobody else's bytes can move the cursor or end a line.  [*]  Returns the
 * length, less than cap.
 */
size_t relay_log_escape(const char *text, char *out, size_t cap);

/*
 * The record as one line of text, without a line end: local time, level,
 * component, text, key=value; all of it escaped.  [*]  Returns the length, less
 * than cap.
 */
size_t relay_log_text(
	const struct relay_log_record *record, char *out, size_t cap);

#endif
