/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The host: which modules run, under which configuration, and the step from
 * one such state to the next.
 *
 * Starting is the step from nothing, stopping the step back; a reload is a step
 * like any other.  A step happens as a whole or not at all.  All is [C].
 */
#ifndef HOST_H
#define HOST_H

#include <stdbool.h>
#include <stddef.h>

#include <strelaysrv/server.h>

#include "modules/catalog.h"
#include "config/config.h"

struct flags;
struct loop;

/* Borrows all three until host_finish(). */
void host_init(struct catalog *catalog, const struct flags *flags,
	struct loop *control);

/* The schema of all modules that were found; for flags as well. */
const struct config_module *host_schema(size_t *count);

/*
 * Reads the configuration as it is now.  NULL when anything is wrong with it,
 * with each fault logged.
 */
struct config *host_load(void);
/* The same for -check and -modules, see config_examine(). */
struct config *host_examine(bool *good);
/* Asks each module what it thinks of it, but of what is known to be wrong.  0,
 * or -1 logged. */
int host_check(struct config *config);

/*
 * The first step, with the workers' threads running but accepting nothing.
 * Takes config over.  0, or -1 logged, and then no module runs.
 */
int host_start(struct config *config);
/* The server accepts connections. */
void host_ready(void);
/* Workers have ended all connections.  Accepts a host that never started. */
void host_stop(void);
void host_finish(void);

/* What SIGHUP does.  Every result is logged. */
void host_reload(void);

/* The server's own options as they are now; valid until the next reload. */
const struct core_conf *host_core(void);

/* Calls the hook `drain` of all that have it; returns the sum of what they
 * wait for. */
int64_t host_drain(enum relay_drain how);

/* Whether a module that runs has that flag. */
bool host_has_flag(const char *flag);

#endif
