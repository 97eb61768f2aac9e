/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The catalog: every module file in the module directories, good or not.
 *
 * A file is opened when somebody asks for its module: to open one that is not
 * wanted costs time and memory at every start, with all libraries it needs.  A
 * module that was found once stays in memory until the process ends, since
 * options, flags and snapshots point into its tables.
 */
#ifndef CATALOG_H
#define CATALOG_H

#include <stddef.h>

#include <strelaysrv/err.h>

#include "modules/module.h"

/*
 * A name whose file cannot be used, and why.  Kept as well, since a snapshot of
 * the configuration may have a section of that name.
 */
struct broken_module {
	char *name; /* owned, as all three */
	char *path; /* NULL: at the last look it was not broken, or gone */
	char *why;
};

/* A file that was seen and not opened. */
struct unopened_module {
	char *name; /* owned, as both */
	char *path;
};

struct catalog {
	char *dirs;                 /* comma-separated; owned */
	struct relay_module **mods; /* by name; owned, and what they point to */
	size_t count;
	struct broken_module *broken; /* owned */
	size_t broken_count;
	struct unopened_module *unopened; /* owned */
	size_t unopened_count;
};

/*
 * `dirs`: comma-separated; NULL: "modules" beside the executable, or where
 * modules were installed.  0, or -1 without memory.
 */
int catalog_init(
	struct catalog *catalog, const char *dirs, struct relay_err *err);
/*
 * Looks, or looks again: adds what is new, notes what has gone.  -1 when a
 * directory cannot be read, and then nothing but additions has happened.
 */
int catalog_scan(struct catalog *catalog, struct relay_err *err);
/*
 * Opens the module of that name, which is then in `mods` or in `broken`, if it
 * was seen and is in neither; or all of them.  How many were opened, or -1
 * without memory.
 */
int catalog_open(struct catalog *catalog, const char *name);
int catalog_open_all(struct catalog *catalog);
/* Says what was opened and is broken, for those who look: nobody may have asked
 * for it. */
void catalog_report(const struct catalog *catalog);
/* Accepts one that is all zero.  No module may run. */
void catalog_finish(struct catalog *catalog);

/* Of those that were opened; also one whose file is gone by now: see
 * relay_module.present. */
struct relay_module *catalog_find(
	const struct catalog *catalog, const char *name);
const struct broken_module *catalog_broken(
	const struct catalog *catalog, const char *name);

#endif
