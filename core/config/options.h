/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Values of options: from text to the field that a table row names, and back.
 *
 * A struct of options is zeroed memory that options_defaults() has filled; it
 * owns its strings and lists until options_clear().
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <strelaysrv/err.h>
#include <strelaysrv/option.h>

/* How a text was given: some flags take bare numbers (flag_unit), and only what
 * somebody wrote must not be empty (RELAY_OPTION_FILLED). */
enum option_source { OPTION_FROM_TABLE, OPTION_FROM_FILE, OPTION_FROM_FLAG };

size_t options_count(const struct relay_option *table);
/* NULL: there is none of that name.  `table` may be NULL: no options. */
const struct relay_option *options_find(
	const struct relay_option *table, const char *name);

/* The row that counts: that of its successor if an option is deprecated. */
const struct relay_option *options_current(
	const struct relay_option *table, const struct relay_option *option);

/* Fills `conf` with the defaults.  0, or -1 when the table is wrong. */
int options_defaults(
	const struct relay_option *table, void *conf, struct relay_err *err);
/* Frees strings and lists, and zeroes their fields. */
void options_clear(const struct relay_option *table, void *conf);

/*
 * Reads one value and puts it into its field, in place of the old one; lists
 * are comma-separated.  0, or -1 with err saying what was found and what is
 * allowed, and the field as it was.
 */
int option_parse(const struct relay_option *option, const char *text,
	enum option_source source, void *conf, struct relay_err *err);
/* The same for a list whose items are known; they are copied. */
int option_parse_items(const struct relay_option *option,
	const char *const *items, size_t n, void *conf, struct relay_err *err);

/* Copies one value of the table's struct to another's.  0 or -1 (memory). */
int option_copy(const struct relay_option *option, const void *from, void *to);

/*
 * Only looks: 0, or -1 as option_parse().  *asks tells whether the value asks
 * for anything: is not zero, false, or empty.  It may be NULL.
 */
int option_check(const struct relay_option *option, const char *text,
	enum option_source source, bool *asks, struct relay_err *err);

/* Fills out, except origin; borrowed from conf. */
void option_read(const struct relay_option *option, const void *conf,
	struct relay_value *out);

/* Whether two values of one option are equal. */
bool option_same(const struct relay_value *a, const struct relay_value *b);

/*
 * The value as one would write it for a flag, without loss, except that a
 * secret is only told to be there.  Owned by the caller; NULL without memory.
 */
char *option_format(const struct relay_value *value);

/* Of a number of the option's type, bounds included; enough for any. */
#define OPTION_NUMBER_TEXT 48
void option_format_number(const struct relay_option *option, int64_t number,
	char out[OPTION_NUMBER_TEXT]);

#endif
