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

#include <stdbool.h>
#include <stddef.h>

struct module_probe {
	const char *name, *path; /* borrowed */
	bool failed;             /* result: the child did not survive it */
	bool again;              /* used by module_probe(): it was slow once */
	char why[128];           /* if failed */
};

/*
 * [C]  Opens each file as module_open() does, one after the other, and sets
 * `failed` of each.  A file that module_open() refuses has not failed.  Takes
 * about as long as opening them, at most 10 s for each that hangs.
 */
void module_probe(struct module_probe *files, size_t count);

#endif
