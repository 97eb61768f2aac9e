/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Converts option values between text and the field that a table row names.
 *
 * A struct of options is zeroed memory that options_defaults() has filled.  It
 * owns its strings and lists until options_clear().
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <strelaysrv/err.h>
#include <strelaysrv/option.h>

/* Where a text comes from.  Some flags accept bare numbers (flag_unit), and
 * only a text that somebody wrote must not be empty (RELAY_OPTION_FILLED). */
enum option_source { OPTION_FROM_TABLE, OPTION_FROM_FILE, OPTION_FROM_FLAG };

size_t options_count(const struct relay_option *table);
/* The option of that name; NULL: none.  `table` may be NULL: no options. */
const struct relay_option *options_find(
	const struct relay_option *table, const char *name);

/* The row that holds the value: the option's own, or its successor's if it is
 * deprecated. */
const struct relay_option *options_current(
	const struct relay_option *table, const struct relay_option *option);

/* The error of the functions below that had no memory: no value is wrong. */
extern const char options_no_memory[];

/* Fills `conf` with the defaults.  0, or -1 when the table is wrong. */
int options_defaults(
	const struct relay_option *table, void *conf, struct relay_err *err);
/* Frees strings and lists, and zeroes their fields. */
void options_clear(const struct relay_option *table, void *conf);

/*
 * Parses one value and replaces that of its field; lists are comma-separated.
 * 0, or -1 with err, which says what was found and what is allowed; then the
 * field is unchanged.
 */
int option_parse(const struct relay_option *option, const char *text,
	enum option_source source, void *conf, struct relay_err *err);
/* The same for a list whose items are separated already; copies them. */
int option_parse_items(const struct relay_option *option,
	const char *const *items, size_t n, void *conf, struct relay_err *err);

/* Copies an option's value from one struct of the table to another.  0, or -1
 * without memory. */
int option_copy(const struct relay_option *option, const void *from, void *to);

/*
 * Checks a text without storing it: 0, or -1 as option_parse().  *asks tells
 * whether the value asks for something: it is not zero, false or empty.  asks
 * may be NULL.
 */
int option_check(const struct relay_option *option, const char *text,
	enum option_source source, bool *asks, struct relay_err *err);

/* Reads a value into out, except its origin; strings and lists are borrowed
 * from conf. */
void option_read(const struct relay_option *option, const void *conf,
	struct relay_value *out);

/* Whether two values of one option are equal. */
bool option_same(const struct relay_value *a, const struct relay_value *b);

/* Of a list: how many words it has, whether one is there, and whether another
 * one has the same words in the same order. */
size_t option_list_count(const char *const *list);
bool option_list_has(const char *const *list, const char *word);
bool option_list_same(const char *const *a, const char *const *b);

/* Whether a value must not be printed: it is a secret, or a URL with a
 * password. An empty secret is printed, since it reveals only that none is set.
 */
bool option_is_hidden(const struct relay_value *value);

/* The value in the form that a flag accepts, without loss.  One that is hidden
 * becomes "(secret)".  Owned by the caller; NULL without memory. */
char *option_format(const struct relay_value *value);

/* Formats a number of the option's type, also its bounds.  OPTION_NUMBER_TEXT
 * bytes suffice for any number. */
#define OPTION_NUMBER_TEXT 48
void option_format_number(const struct relay_option *option, int64_t number,
	char out[OPTION_NUMBER_TEXT]);

#endif
