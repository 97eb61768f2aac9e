/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Which module files are worth opening before the configuration is read, whose
 * schema is made of their tables.
 */
#ifndef PRELOAD_H
#define PRELOAD_H

struct catalog;

/*
 * Opens each module whose name occurs anywhere in the file `conf`; also the
 * default modules if `conf` is NULL or does not set `modules`.  Opens all
 * modules if the names cannot be found in that way: `conf` is no regular file,
 * includes others, or has escapes or variables.  Reports no problem, since the
 * file is parsed later.  0, or -1 without memory.
 */
int preload_open(struct catalog *catalog, const char *conf);

#endif
