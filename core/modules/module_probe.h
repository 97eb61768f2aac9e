/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Opens module files in a child process first.
 *
 * The dynamic linker trusts a file's contents, and runs the constructors in it
 * and in its libraries: a damaged file ends the process or never returns.
 * Here that ends only the child.
 */
#ifndef MODULE_PROBE_H
#define MODULE_PROBE_H

#include <stddef.h>

struct module_probes;

/* For at most that many files.  NULL without memory. */
struct module_probes *module_probes_make(size_t most);
/* Accepts NULL. */
void module_probes_free(struct module_probes *probes);
/* Adds a file, whose name and path are copied.  0, or -1 without memory. */
int module_probes_add(
	struct module_probes *probes, const char *name, const char *path);

/*
 * Opens each file as module_open() does, one after the other.  A file that
 * module_open() refuses is not a fault.  Takes about as long as opening them,
 * at most 10 s for each that hangs.  [*]
 */
void module_probe(struct module_probes *probes);
/* Why the module of that name cannot be opened; NULL: it can, or was not
 * tried. */
const char *module_probes_fault(
	const struct module_probes *probes, const char *name);

#endif
