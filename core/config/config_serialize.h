/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The content of a configuration file as bytes that the child sends to the
 * parent (config_child.h): problems, values with their origins, and at the end
 * a mark that all of it is there.
 *
 * Both processes run the same program image, so the format of numbers and the
 * order of sections and options are the same in both.
 */
#ifndef CONFIG_SERIALIZE_H
#define CONFIG_SERIALIZE_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config_section.h"

/* The most bytes of a whole configuration; more is refused. */
#define CONFIG_SERIALIZED_MAX ((size_t)64 * 1024 * 1024)

/* Output buffer; it allocates nothing. */
struct config_serializer {
	int fd;      /* borrowed; blocking */
	bool failed; /* nothing more is written */
	size_t len;
	unsigned char bytes[4096];
};

/* A config_report_fn; arg is the struct. */
void config_serialize_problem(
	enum relay_level level, const char *text, void *arg);
void config_serialize_section(struct config_serializer *out, size_t index,
	const struct config_section *section);
/* items NULL: no valid value was given, and only the origin is sent. */
void config_serialize_value(struct config_serializer *out, size_t section,
	size_t option, const char *origin, char *const *items, size_t count);
/* Writes the rest of the buffer.  0, or -1 if any write failed. */
int config_serialize_end(struct config_serializer *out, bool good);

/*
 * Reports the problems and stores the values in the sections, over their old
 * ones.  0, or -1 if there was an error: in the file, for lack of memory, or
 * because bytes are missing.
 */
int config_deserialize(unsigned char *bytes, size_t len,
	struct config_section *sections, size_t n, config_report_fn *report,
	void *arg);

#endif
