/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Environment variables in the text of a configuration file.  libconfuse
 * replaces ${NAME} and ${NAME:-DEFAULT} outside of single quotes.  It replaces
 * a variable that is not set by an empty text.
 */
#ifndef CONFIG_VARIABLES_H
#define CONFIG_VARIABLES_H

#include <stddef.h>

#include <strelaysrv/err.h>

/* Checks one token, text[from] to text[to - 1]: every variable in it must be
 * set or have a default.  0, or -1 with err, which names the column. */
int config_variables_check(
	const char *text, size_t from, size_t to, struct relay_err *err);

#endif
