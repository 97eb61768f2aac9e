/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What `strelaysrv -modules` prints.
 */
#ifndef LIST_MODULES_H
#define LIST_MODULES_H

#include <stdio.h>

struct catalog;
struct config;

/* Every module that was found, and each of its options as `config` has it.  0,
 * or -1 when it cannot be written. */
int list_modules(
	const struct catalog *catalog, const struct config *config, FILE *out);

#endif
