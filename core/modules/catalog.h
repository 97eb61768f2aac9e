/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The catalog: every module file in the module directories, usable or not.
 *
 * A file is opened only when its module is asked for: opening a module that is
 * not needed, with all its libraries, would cost time and memory at every
 * start.  A module that was opened stays in memory until the process ends,
 * since options, flags and snapshots point into its tables.
 */
#ifndef CATALOG_H
#define CATALOG_H

#include <stdbool.h>
#include <stddef.h>

#include <strelaysrv/err.h>

#include "modules/module.h"
#include "modules/module_folders.h"
#include "modules/module_probe.h"

/*
 * A module whose file cannot be used, and the reason.  The entry is never
 * removed, since a snapshot of the configuration may have a section of that
 * name.
 */
struct broken_module {
	char *name; /* all three are owned */
	char *path; /* NULL: the last scan found it gone, or not broken */
	char *why;
};

/* A file that a scan found, and that was not opened. */
struct unopened_module {
	char *name; /* both are owned */
	char *path;
	bool wanted;  /* it is to be opened */
	bool unnamed; /* perhaps nobody has named it */
};

struct catalog {
	char *dirs;                 /* comma-separated; owned */
	struct relay_module **mods; /* sorted by name; owned, as the modules */
	size_t count;
	struct broken_module *broken; /* owned */
	size_t broken_count;
	struct unopened_module *unopened; /* owned */
	size_t unopened_count;
	/* Each file is opened in a child process first (module_probe.h): a
	 * damaged one must not end a server that runs, or a check.  Set by the
	 * owner. */
	bool careful;
};

/*
 * `dirs`: comma-separated; NULL or "": "modules" beside the executable or, if
 * there is none, the directory where modules are installed.  0, or -1 with err.
 */
int catalog_init(
	struct catalog *catalog, const char *dirs, struct relay_err *err);
/*
 * Takes what was read of the directories, the first time or again: adds new
 * files, and marks modules whose files are gone.  0, or -1 without memory.
 */
int catalog_take(struct catalog *catalog, const struct module_folders *folders);
/* Reads the directories on this thread.  0, or -1 with err: no memory, or a
 * directory cannot be read; its modules and those of the directories after it
 * are then marked as gone. */
int catalog_scan(struct catalog *catalog, struct relay_err *err);

/*
 * A module is opened in steps.  The first says that the module of that name, or
 * each, is to be opened unless it was before.  Returns how many files that are.
 */
int catalog_want(struct catalog *catalog, const char *name);
int catalog_want_all(struct catalog *catalog);
/* Those of them that are to be opened in a child process first: all if the
 * catalog is careful, else those that nobody may have named.  The caller calls
 * module_probe(), which may be done on another thread, and frees them.  NULL
 * without memory. */
struct module_probes *catalog_probes(const struct catalog *catalog);
/* Opens them, except those that a probe found bad.  They are then in `mods` or
 * in `broken`.  Returns how many there were, or -1 without memory. */
int catalog_open_wanted(
	struct catalog *catalog, const struct module_probes *probes);
/* The last three on this thread.  Returns how many there were, or -1 without
 * memory. */
int catalog_open_now(struct catalog *catalog);

/* Logs the broken modules at debug level: those that the configuration does not
 * name are reported nowhere else. */
void catalog_report(const struct catalog *catalog);
/* Accepts a catalog that is all zero.  No module may be running. */
void catalog_finish(struct catalog *catalog);

/* These search the modules that were opened.  NULL if there is none of that
 * name.  A module is also found if its file is gone by now: see
 * relay_module.present. */
struct relay_module *catalog_find(
	const struct catalog *catalog, const char *name);
const struct broken_module *catalog_broken(
	const struct catalog *catalog, const char *name);

#endif
