/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Which module files are worth opening before the configuration is read, whose
 * schema is made of their tables.
 */
#ifndef WANTED_H
#define WANTED_H

struct catalog;

/*
 * Opens each module whose name occurs in the file `conf`, wherever; also those
 * that run by default where the file does not set `modules`, or is NULL.  All
 * of them where that cannot be told: the file is none, includes others, or has
 * words that are made while it is parsed.  Tells nothing: who reads the file in
 * earnest does.  0, or -1 without memory.
 */
int wanted_open(struct catalog *catalog, const char *conf);

#endif
