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
	bool (*is_here)(void *arg); /* whether the caller runs on it */
	int (*wake)(void *arg);     /* lets it call log_woken(); 0 or -1 */
	void *arg;
};

/*
 * Where records go instead of stderr, as long as any() says so.  All are called
 * on the delivering thread.
 */
struct log_sinks {
	bool (*any)(void);
	/* The highest level that a sink wants; RELAY_ERROR without one. */
	enum relay_level (*level)(void);
	/* With `all` a sink's own level does not count. */
	void (*deliver)(const struct relay_log_record *record, bool all);
};

/*
 * Before anything else; until log_attach() records go straight to stderr.
 * Ignores SIGPIPE: when the reader of stderr ends, the server goes on.  0, or
 * -1 without memory.
 */
int log_create(void);
/* [C]  After log_detach().  What is logged from now on is lost. */
void log_destroy(void);
/* From now on other threads' records are carried to `control`.  [C] */
void log_attach(const struct log_thread *control);
/* What log_thread.wake asks for.  [C] */
void log_woken(void);
/* [C]  Borrowed until log_destroy(). */
void log_set_sinks(const struct log_sinks *sinks);
/* A sink came, went, or has another level.  [C] */
void log_sinks_changed(void);
/*
 * From here to log_release() records wait in the queue: while the server starts
 * nobody knows yet where they belong.  [C]
 */
void log_hold(void);
void log_release(void);
/* Delivers all that is queued, and goes back to stderr.  [C], at the end. */
void log_detach(void);
/* Delivers what is queued now.  [C] */
void log_flush(void);
/* Raises the stderr fallback and all sinks to debug, or back.  [C] */
void log_debug(bool on);

/* The server's own records, with the component "core".  [*] */
void log_core(enum relay_level level, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void log_core_fields(enum relay_level level, const struct relay_field *fields,
	const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Rate-limited: one of a kind in ten seconds, see relay_log_seldom(). */
void log_core_seldom(enum relay_level level, struct relay_log_kind *kind,
	const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* The same for any component.  Keeps errno.  [*] */
void log_valist(const char *component, enum relay_level level,
	const struct relay_field *fields, const char *fmt, va_list ap)
	__attribute__((format(printf, 4, 0)));
void log_ratelimit_valist(const char *component, enum relay_level level,
	struct relay_log_kind *kind, const char *fmt, va_list ap)
	__attribute__((format(printf, 4, 0)));

/* Whether a record of the kind may be written now; the rest of
 * relay_log_seldom().  [*] */
bool log_ratelimit_due(
	struct relay_log_kind *kind, int64_t now_ms, uint64_t *left_out);

/* How many records were ever lost for want of room.  [*] */
int64_t log_dropped(void);

#endif
