/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Flags that strelaysrv has always had and that modules now own: known, and
 * checked, also while the module is not installed.
 */
#ifndef RESERVED_FLAGS_H
#define RESERVED_FLAGS_H

#include <stdbool.h>

#include <strelaysrv/option.h>

struct reserved_flag {
	const char *module;         /* that owns it; NULL ends the table */
	struct relay_option option; /* has no field: only to be checked */
	bool demands; /* a value that asks for something needs the module */
};

#define RESERVED_FLAGS_MAX 16 /* rows of the table, the last one included */

extern const struct reserved_flag reserved_flags[];

#endif
