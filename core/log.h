/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The log's inside: the queue between threads and the sinks behind it.
 */
#ifndef LOG_H
#define LOG_H

#include <stdint.h>

#include <strelaysrv/log.h>

struct loop;
struct relay_module;

/*
 * Before anything else; until log_attach() records go straight to stderr.
 * Ignores SIGPIPE: the end of whoever reads stderr is not ours.
 */
void log_init(bool debug);
/* From now on workers' records are carried to `control`.  [C] */
void log_attach(struct loop *control);
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

/* Whether a record of the kind may be written now; the rest of
 * relay_log_seldom().  [*] */
bool log_seldom_due(
	struct relay_log_kind *kind, int64_t now_ms, uint64_t *left_out);

/* How many records were ever lost for want of room.  [*] */
int64_t log_dropped(void);

/* Makes the module's sink active, once it is live.  [C] */
void log_publish(struct relay_module *mod);
/* Removes the module's sink, flushing to it first.  [C] */
void log_withdraw(struct relay_module *mod);

#endif
