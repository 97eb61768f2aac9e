/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Logging: records with a level, a component, a text, and named fields.
 *
 * Records of all threads go through one bounded queue to the sinks, which run
 * on the control thread.  If the queue is full, records are dropped and
 * counted.  Without a sink, records go to stderr.  Records that a sink itself
 * logs go to stderr.
 */
#ifndef RELAY_LOG_H
#define RELAY_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct relay_ctx;

enum relay_level {
	RELAY_ERROR,   /* the operator must act, or the server exits */
	RELAY_WARNING, /* works, but not as the operator intended */
	RELAY_NOTICE,  /* what an operator wants to see: start, URI, stop */
	RELAY_INFO,    /* normal events: joining a pool, reloads */
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
 * Writes a record; the text is truncated at 1,000 bytes, the fields at another
 * 1,000.  [*] Never log a secret or relayed bytes.  `fields` may be NULL.
 */
void relay_log(const struct relay_ctx *cx, enum relay_level level,
	const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void relay_log_fields(const struct relay_ctx *cx, enum relay_level level,
	const struct relay_field *fields, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/*
 * Like relay_log_fields() with the level RELAY_NOTICE, but every sink gets the
 * record, whatever its level is: who has changed something must be found in the
 * log, also after he has raised its level.  [*]  Never for what strangers
 * cause.
 */
void relay_log_always(const struct relay_ctx *cx,
	const struct relay_field *fields, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * The state of one kind of record that a flood could repeat, for
 * relay_log_seldom().  It starts zeroed, lives as long as the module and is
 * shared by all threads.
 *
 * Aligned also where 64-bit numbers are not: an atomic operation on a number in
 * two cache lines locks the machine's bus, and a virtual machine may be stopped
 * for seconds because of it.
 */
struct relay_log_kind {
	int64_t due_ms __attribute__((aligned(8)));
	uint64_t left_out __attribute__((aligned(8)));
};
/*
 * Like relay_log(), but writes at most one record of a kind in ten seconds.
 * The next one has a field `left_out` with the number of records not written.
 * [*]
 */
void relay_log_seldom(const struct relay_ctx *cx, enum relay_level level,
	struct relay_log_kind *kind, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* A sink could not write so many records: counts them as lost.  [C] */
void relay_log_lost(const struct relay_ctx *cx, uint64_t records);

/* Whether any sink takes records of that level.  [*] */
bool relay_log_wanted(enum relay_level level);

struct relay_log_record {
	int64_t time_us; /* wall clock */
	enum relay_level level;
	const char *component; /* module name, or "core" */
	const char *text;      /* not escaped: escape it before output */
	const struct relay_field *fields; /* never NULL; ended by a NULL key */
};

/* [C] Called once per record; it must not block for long. */
typedef void relay_log_sink_fn(
	struct relay_ctx *cx, const struct relay_log_record *record);

/*
 * Adds a sink for records up to `level`.  [C] init.  Each module may have one.
 * Returns 0, or -1 if the module already has one.
 */
int relay_log_sink(
	struct relay_ctx *cx, enum relay_level level, relay_log_sink_fn *fn);
/* Changes the level of the module's own sink.  [C] */
void relay_log_sink_level(struct relay_ctx *cx, enum relay_level level);

/*
 * Copies `text` to `out`, with control characters and invalid UTF-8 as \xNN, so
 * that bytes from a peer cannot move the cursor or end a line.  [*] Returns the
 * length, less than cap.
 */
size_t relay_log_escape(const char *text, char *out, size_t cap);

/*
 * Formats the record as one line of text, without a line end: local time,
 * level, component, text, key=value; all of it escaped.  [*] Returns the
 * length, less than cap.
 */
size_t relay_log_text(
	const struct relay_log_record *record, char *out, size_t cap);

#ifdef __cplusplus
}
#endif

#endif
