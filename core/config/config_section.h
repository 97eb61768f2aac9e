/* SPDX-License-Identifier: MPL-2.0 */

/*
 * One section of a snapshot, as config.c keeps it and config_file.c fills it.
 */
#ifndef CONFIG_SECTION_H
#define CONFIG_SECTION_H

#include <stdbool.h>
#include <stddef.h>

#include "config/schema.h"

struct config_section {
	const char *name; /* of the module, borrowed; NULL: the server's own */
	const struct relay_option *options; /* borrowed; may be NULL */
	size_t count;                       /* of options */
	size_t conf_size;                   /* of values, bytes */
	void *values;                       /* owned */
	char **origins; /* owned, of each option; NULL: the default */
	bool required;
	bool opaque; /* see struct config_module */
	/* Something that was given is not in `values`, since it was wrong. */
	bool flawed;
};

/*
 * Puts the values of the file over those that are in the sections; sections[0]
 * is the server's own.  Tells all problems.  0, or -1 if any was an error, be
 * it that there was no memory: then values may be missing.
 */
int config_file_read(const char *path, struct config_section *sections,
	size_t n, config_report_fn *report, void *arg);

#endif
