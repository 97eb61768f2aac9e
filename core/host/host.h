/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The host: which modules run, under which configuration, and the transition
 * from one such state to the next.
 *
 * A start is the transition from no modules, and a reload is another.
 * A transition is atomic: it happens as a whole or not at all.  All functions
 * are [C].
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
struct name_lookup;
struct readings;

/* Borrows its arguments until host_finish(). */
void host_init(struct catalog *catalog, const struct flags *flags,
	struct loop *control);

/*
 * The option tables of all modules that were found, by which flags and the file
 * are read.  The host owns them until the next call, which loading makes as
 * well.  NULL without memory.
 */
const struct config_module *host_schema(size_t *count);

/* Reads flags and file.  NULL if anything is wrong; each fault is logged. */
struct config *host_load(void);
/* The same for -check and -modules, which also want what could be read of a
 * faulty configuration, see config_examine(). */
struct config *host_examine(bool *good);
/* Calls the hook `check` of each module that is to run, except those with a
 * known fault in their section.  0, or -1 with the reason logged. */
int host_check(struct config *config);

/*
 * The first transition.  The worker threads must run, but accept nothing yet.
 * Takes ownership of config.  0, or -1 with the reason logged; then no module
 * runs.
 */
int host_start(struct config *config);
/* Call it when the server accepts connections: opens the HTTP addresses and
 * calls the hook `ready` of all modules. */
void host_ready(void);
/* Stops all modules.  The workers must have ended all connections.  Does
 * nothing if host_start() never succeeded. */
void host_stop(void);
void host_finish(void);

/* The parts of a reload, see reloading.h. */

/* Has the modules that the configuration names read their files, see
 * readings_start().  NULL after an error that is logged. */
struct readings *host_read(
	struct config *config, void (*over)(void *arg), void *arg);
/* Makes the transition, with names as core_options_look_up() found them.  0,
 * and then config belongs to the host; or -1 with the reason logged. */
int host_change(struct config *config, const struct readings *readings,
	const struct name_lookup *names);

/* The server's own options as they are now; valid until the next reload. */
const struct core_conf *host_core(void);

/* Calls the hook `drain` of all running modules that have it.  Returns the sum
 * of their answers: how much they still wait for. */
int64_t host_drain(enum relay_drain how);
/* After host_drain(): the name of a module with this hook whose work
 * (relay_work_start()) has not ended; NULL: there is none. */
const char *host_writes(void);

/* Whether a running module has an option with this flag. */
bool host_has_flag(const char *flag);

#endif
