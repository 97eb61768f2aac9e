/* SPDX-License-Identifier: MPL-2.0 */

/* Which module files are in the module directories.  Their mount may not
 * answer. */
#ifndef MODULE_FOLDERS_H
#define MODULE_FOLDERS_H

#include <stddef.h>

#include <strelaysrv/err.h>

#include "modules/module.h"

struct folder_file {
	char *path;              /* owned */
	char *name;              /* of the module; owned */
	struct module_file file; /* all zero: it cannot be looked at */
};

struct module_folders {
	struct folder_file *files; /* owned; in the order of the directories */
	size_t count;
};

/*
 * Reads the directories, which are comma-separated.  0, or -1 with err: no
 * memory, or one cannot be read; `out` then has the files of those before it.
 * The caller frees `out` in both cases.  [*]
 */
int module_folders_read(
	const char *dirs, struct module_folders *out, struct relay_err *err);
void module_folders_free(struct module_folders *folders);

#endif
