/* SPDX-License-Identifier: MPL-2.0 */

/*
 * One section of a snapshot, owned by config.c and filled by config_file.c.
 */
#ifndef CONFIG_SECTION_H
#define CONFIG_SECTION_H

#include <stdbool.h>
#include <stddef.h>

#include <strelaysrv/err.h>

#include "config/schema.h"

struct config_section {
	/* Of the module, borrowed; NULL: the server's own; of a listener: see
	 * config_listeners.h. */
	const char *name;
	const struct relay_option *options; /* borrowed; may be NULL */
	size_t count;                       /* of options */
	size_t conf_size;                   /* of values, bytes */
	void *values;                       /* owned */
	char **origins; /* owned, one for each option; NULL: the default */
	/* It is a place for a listener, which the file may take.  Until then it
	 * has no options. */
	bool listener;
	char *title; /* owned: the listener's name; NULL: none has the place */
	char *called;
	bool required;
	bool opaque; /* see struct config_module */
	/* It is opaque, and has options besides `required`. */
	bool unchecked;
	/* A value in the file was invalid, so `values` has the default
	 * instead. */
	bool flawed;
};

/*
 * Gives a section whose name, options and conf_size are set its values: the
 * defaults.  0, or -1 with err; then it has no options.
 */
int config_section_fill(struct config_section *section, struct relay_err *err);
/* Frees what the section owns. */
void config_section_empty(struct config_section *section);

/*
 * Stores the file's values in the sections, over the old ones; sections[0] is
 * the server's own.  Reports all problems.  0, or -1 if any was an error, which
 * includes lack of memory: then values may be missing.
 */
int config_file_read(const char *path, struct config_section *sections,
	size_t n, config_report_fn *report, void *arg);

#endif
