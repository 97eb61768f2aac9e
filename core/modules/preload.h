/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Opens the modules that the configuration seems to need.  That comes before it
 * is parsed, since the modules' tables of options are its schema.
 */
#ifndef PRELOAD_H
#define PRELOAD_H

struct catalog;

/*
 * The option module-dir of the file `conf`, comma-separated: it must be known
 * before modules, and with them the rest of the file, can be read.  Owned by
 * the caller.  NULL: it is not set, or the file cannot be read, which is
 * reported when all of it is read.
 */
char *preload_module_dir(const char *conf);

/*
 * Opens each module whose name occurs anywhere in the file `conf`; also the
 * default modules if `conf` is NULL or does not set `modules`.  Opens all
 * modules if the names cannot be found in that way: `conf` is no regular file,
 * includes others, or has escapes or variables.  Reports no problem, since the
 * file is parsed later.  0, or -1 without memory.
 */
int preload_open(struct catalog *catalog, const char *conf);

/*
 * The same in steps.  The first reads the file, whose text the caller frees;
 * NULL: it is too large, or cannot be read [*].  The second says what is to be
 * opened (catalog_want()) for the text, which is NULL if it could not be read;
 * the third, without a file [C].
 */
char *preload_read(const char *conf);
void preload_want(struct catalog *catalog, const char *text);
void preload_want_default(struct catalog *catalog);

#endif
