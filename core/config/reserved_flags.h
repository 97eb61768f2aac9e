/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Flags that strelaysrv has always had and that modules own now.  They are
 * known and checked even if the module is not installed.
 */
#ifndef RESERVED_FLAGS_H
#define RESERVED_FLAGS_H

#include <stdbool.h>

#include <strelaysrv/option.h>

struct reserved_flag {
	const char *module;         /* the owner; NULL ends the table */
	struct relay_option option; /* without a field, to check values */
	bool demands; /* an error if the value asks for something */
};

#define RESERVED_FLAGS_MAX 16 /* rows of the table, the last one included */

extern const struct reserved_flag reserved_flags[];

#endif
