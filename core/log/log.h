/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The log: records from all threads, delivered to sinks by the control thread.
 */
#ifndef LOG_H
#define LOG_H

#include <stdarg.h>
#include <stdint.h>

#include <strelaysrv/log.h>

/* The thread that delivers records. */
struct log_thread {
	bool (*is_here)(void *arg); /* whether the caller is that thread */
	int (*wake)(void *arg);     /* makes it call log_woken(); 0 or -1 */
	void *arg;
};

/*
 * Where records go instead of stderr while any() returns true.  All functions
 * are called on the thread that delivers records.
 */
struct log_sinks {
	bool (*any)(void);
	/* The highest level that a sink wants; RELAY_ERROR without one. */
	enum relay_level (*level)(void);
	/* `all`: deliver to all sinks, whatever their levels are. */
	void (*deliver)(const struct relay_log_record *record, bool all);
};

/*
 * To be called before anything else.  Until log_attach() records are delivered
 * at once, by the thread that logs.  Ignores SIGPIPE and SIGXFSZ, so that the
 * server continues when the reader of stderr ends or a file may not grow any
 * more: writes then fail with EPIPE or EFBIG.  0, or -1 without memory.
 */
int log_create(void);
/* [C]  After log_detach().  Whatever is logged later is lost. */
void log_destroy(void);
/* From now on other threads' records are sent to the thread `control`, which
 * delivers them.  [C] */
void log_attach(const struct log_thread *control);
/* To be called on the thread that log_thread.wake has woken: delivers what is
 * queued.  [C] */
void log_woken(void);
/* [C]  Sets the sinks, borrowed until log_destroy(). */
void log_set_sinks(const struct log_sinks *sinks);
/* To be called after a sink was added or removed, or its level changed.  [C] */
void log_sinks_changed(void);
/*
 * Keeps records in the queue until log_release(): while the server starts, the
 * sinks that they are for may not exist yet.  [C]
 */
void log_hold(void);
void log_release(void);
/* Delivers all that is queued, and undoes log_attach().  [C], at the end. */
void log_detach(void);
/* Delivers what is queued now.  [C] */
void log_flush(void);
/* Sets the level of stderr and of all sinks to debug, or restores it.  [C] */
void log_debug(bool on);

/* These log the server's own records, with the component "core".  [*] */
void log_core(enum relay_level level, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Writes to stderr at once, whatever the sinks and levels are: for a thread
 * that finds that the control thread does not deliver. */
void log_core_now(enum relay_level level, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void log_core_fields(enum relay_level level, const struct relay_field *fields,
	const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Rate-limited: one record of a kind in ten seconds, see relay_log_seldom(). */
void log_core_seldom(enum relay_level level, struct relay_log_kind *kind,
	const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* The same for any component.  They preserve errno.  [*] */
void log_valist(const char *component, enum relay_level level,
	const struct relay_field *fields, const char *fmt, va_list ap)
	__attribute__((format(printf, 4, 0)));
void log_always_valist(const char *component, const struct relay_field *fields,
	const char *fmt, va_list ap) __attribute__((format(printf, 3, 0)));
void log_ratelimit_valist(const char *component, enum relay_level level,
	struct relay_log_kind *kind, const char *fmt, va_list ap)
	__attribute__((format(printf, 4, 0)));

/* Whether a record of the kind may be written now.  If so, *left_out is how
 * many were suppressed since the last one.  [*] */
bool log_ratelimit_due(
	struct relay_log_kind *kind, int64_t now_ms, uint64_t *left_out);

/* How many records have been lost: the queue was full, or stderr was stuck or
 * failed.  [*] */
int64_t log_dropped(void);

#endif
