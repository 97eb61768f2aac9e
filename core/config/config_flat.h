/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What a configuration file says, as bytes from the process that read it to the
 * one that asked (config_apart.h): problems, values with their origins, and at
 * last whether all of it is there.
 *
 * Both are the same program at the same moment, so that numbers and the order
 * of sections and options need no further agreement.
 */
#ifndef CONFIG_FLAT_H
#define CONFIG_FLAT_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config_section.h"

/* Of a whole configuration; more is refused. */
#define CONFIG_FLAT_MAX ((size_t)64 * 1024 * 1024)

/* Needs no memory of its own. */
struct config_flat_out {
	int fd;      /* borrowed; blocking */
	bool failed; /* nothing more is written */
	size_t len;
	unsigned char bytes[4096];
};

/* A config_report_fn; arg is the struct. */
void config_flat_problem(enum relay_level level, const char *text, void *arg);
void config_flat_section(struct config_flat_out *out, size_t section,
	bool required, bool flawed);
/* items NULL: none that counts was given, and only the origin is told. */
void config_flat_value(struct config_flat_out *out, size_t section,
	size_t option, const char *origin, char *const *items, size_t count);
/* Writes what is left.  0, or -1 if anything could not be written. */
int config_flat_end(struct config_flat_out *out, bool good);

/*
 * Reports the problems and puts the values over those of the sections.  0, or
 * -1 if any problem was an error: of the file, of memory, or because the bytes
 * are not all there.
 */
int config_flat_take(unsigned char *bytes, size_t len,
	struct config_section *sections, size_t n, config_report_fn *report,
	void *arg);

#endif
