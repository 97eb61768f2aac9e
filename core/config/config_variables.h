/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Environment variables in the text of a configuration file.  libconfuse
 * replaces ${NAME} and ${NAME:-DEFAULT} outside of single quotes.  It replaces
 * a variable that is not set by an empty text, and ignores the default of one
 * that is empty.
 */
#ifndef CONFIG_VARIABLES_H
#define CONFIG_VARIABLES_H

#include <stdbool.h>
#include <stddef.h>

#include <strelaysrv/err.h>

/*
 * Checks one token, text[from] to text[to - 1]: every variable in it must be
 * set and not empty, or have a default.  Edits the token, so that libconfuse
 * takes the default of an empty variable, too, as a shell does, and so that
 * config_variables_drop() finds where a variable and its default are both
 * empty.  0, or -1 with err, which names the column.
 */
int config_variables_resolve(
	char *text, size_t from, size_t to, struct relay_err *err);

/* Removes from a value of the edited text what stands for such a variable.
 * Returns whether there was any. */
bool config_variables_drop(char *value);
/* The same of text[from] to text[to - 1], which is not changed. */
bool config_variables_in(const char *text, size_t from, size_t to);

#endif
