/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What scripts make of a flag's value: nothing, or a text in quotes.
 */
#ifndef FLAG_VALUE_H
#define FLAG_VALUE_H

#include <stdbool.h>

struct flag;

/*
 * Whether the value is empty, as "-x=$VARIABLE" makes it without that variable,
 * and the flag then counts as not given.  That is never so where an empty value
 * has a meaning, nor where it would leave out what protects the relay.
 */
bool flag_value_is_absent(const struct flag *flag, const char *value);

/* Whether quotes enclose the value, which a shell would have removed. */
bool flag_value_is_quoted(const char *value);

#endif
