/* SPDX-License-Identifier: MPL-2.0 */

/* print_argument.h - prints arguments of the command line, but no secret. */
#ifndef PRINT_ARGUMENT_H
#define PRINT_ARGUMENT_H

#include <stdio.h>

struct flag_table;

/* In quotes, like Go's %q: a shell lets any byte into a value. */
void print_quoted(const char *text, FILE *out);
/*
 * Prints what may be printed of an argument that is no flag: "token=s3cret" and
 * "tokens3cret" are flags without a dash.
 */
void print_stray(const struct flag_table *table, const char *arg, FILE *out);

#endif
