/* SPDX-License-Identifier: MPL-2.0 */

/* Environment variables in the text of a configuration file. */

#include <stdlib.h>
#include <string.h>

#include "config/config_variables.h"

#define NAME_MAX_LEN 127

static size_t column_of(const char *text, size_t at)
{
	size_t column = 1;

	while (at-- && text[at] != '\n')
		column++;
	return column;
}

/* libconfuse would take "${" within a default as text. */
static int check_default(
	const char *text, size_t at, size_t end, struct relay_err *err)
{
	for (size_t i = at + 2; i + 1 < end; i++)
		if (text[i] == '$' && text[i + 1] == '{')
			return relay_fail(err,
				"column %zu: a default cannot contain another "
				"variable",
				column_of(text, i));
	return 0;
}

/* text[at] begins "${", text[end] is its "}". */
static int check_one(
	const char *text, size_t at, size_t end, struct relay_err *err)
{
	const char *name = text + at + 2;
	size_t len = end - at - 2;
	char copy[NAME_MAX_LEN + 1];
	const char *value = NULL;

	for (size_t i = 0; i + 1 < len; i++)
		if (name[i] == ':' && name[i + 1] == '-')
			return check_default(text, at, end, err);
	if (len > 0 && len <= NAME_MAX_LEN) {
		memcpy(copy, name, len);
		copy[len] = '\0';
		value = getenv(copy);
	}
	/* An empty variable is usually a forgotten one, and an empty guard
	 * would let everybody in. */
	if (value && *value)
		return 0;
	return relay_fail(err,
		"column %zu: the environment variable in ${%.*s} is %s; "
		"${NAME:-DEFAULT} gives a default, and single quotes keep a $ "
		"as it is",
		column_of(text, at), (int)(len < 100 ? len : 100), name,
		value ? "empty" : "not set");
}

int config_variables_check(
	const char *text, size_t from, size_t to, struct relay_err *err)
{
	if (text[from] == '\'')
		return 0;
	for (size_t at = from; at + 1 < to; at++) {
		const char *end;

		if (text[at] == '\\') {
			at++;
			continue;
		}
		if (text[at] != '$' || text[at + 1] != '{')
			continue;
		end = memchr(text + at, '}', to - at);
		if (!end)
			return relay_fail(err,
				"column %zu: the variable ${ is not closed",
				column_of(text, at));
		if (check_one(text, at, (size_t)(end - text), err) != 0)
			return -1;
		at = (size_t)(end - text);
	}
	return 0;
}
