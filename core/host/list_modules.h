/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What `strelaysrv -modules` prints.
 */
#ifndef LIST_MODULES_H
#define LIST_MODULES_H

#include <stdio.h>

struct catalog;
struct config;

/* Prints every module that was found, with the value of each of its options in
 * `config`.  0, or -1 when it cannot be written. */
int list_modules(
	const struct catalog *catalog, const struct config *config, FILE *out);

#endif
