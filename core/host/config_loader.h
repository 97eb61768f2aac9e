/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Loads the configuration: which modules must be opened to know the options of
 * the file, and the file itself.  Modules are opened on the control thread,
 * after a child process has tried to; directories and files are read, and the
 * child is waited for, on another one, so this takes several steps.  All
 * functions are [C].
 */
#ifndef CONFIG_LOADER_H
#define CONFIG_LOADER_H

#include <stddef.h>

#include <strelaysrv/err.h>

#include "config/config.h"

struct catalog;
struct flags;
struct config_loader;
struct loop;

/* The option tables of all modules that are open or broken.  Owned by the
 * caller; NULL without memory. */
struct config_module *config_loader_schema(
	const struct catalog *catalog, size_t *count);

/* Loads on this thread.  NULL if anything is wrong; each fault is logged. */
struct config *config_loader_run(
	struct catalog *catalog, const struct flags *flags);

/*
 * Looks for modules again, and begins to load.  Later, on the loop, `over` is
 * called with the configuration, which it then owns, or with NULL after an
 * error that is logged.  Borrows catalog and flags.  NULL after such an error.
 */
struct config_loader *config_loader_start(struct catalog *catalog,
	const struct flags *flags, struct loop *loop,
	void (*over)(struct config *config, void *arg), void *arg);
/* Gives up if a file does not answer; may call `over`.  To be called several
 * times a second. */
void config_loader_poll(struct config_loader *loader);
/* Cancels the loading if it is not over.  Accepts NULL. */
void config_loader_free(struct config_loader *loader);

#endif
