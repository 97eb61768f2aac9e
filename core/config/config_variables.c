/* SPDX-License-Identifier: MPL-2.0 */

/* Environment variables in the text of a configuration file. */

#include <stdlib.h>
#include <string.h>

#include "config/config_variables.h"
#include "config/value_text.h"

#define NAME_MAX_LEN 127
/* How a $ is written. */
#define DOLLAR                                                                 \
	"to keep a $ as it is, write \\$ in double quotes, or use single "     \
	"quotes"
/* Stands for each byte of ${NAME:-}, if it is empty.  The text has no such
 * byte, since it is UTF-8, and an escape sequence for one alone is too short.
 */
#define NOTHING     '\xfe'
#define NOTHING_LEN 5

/* The length of the NOTHING at `at`; 0: there is none. */
static size_t nothing_len(const char *at, size_t most)
{
	size_t len = 0;

	while (len < most && at[len] == NOTHING)
		len++;
	return len >= NOTHING_LEN ? len : 0;
}

bool config_variables_drop(char *value)
{
	char *to = value;
	bool any = false;

	while (*value) {
		size_t len = nothing_len(value, strlen(value));

		any |= len > 0;
		value += len;
		if (*value && len == 0)
			*to++ = *value++;
	}
	*to = '\0';
	return any;
}

bool config_variables_in(const char *text, size_t from, size_t to)
{
	for (; from < to; from++)
		if (nothing_len(text + from, to - from))
			return true;
	return false;
}

/* libconfuse would take "${" within a default as text. */
static int check_default(
	const char *text, size_t at, size_t end, struct relay_err *err)
{
	for (size_t i = at + 2; i + 1 < end; i++)
		if (text[i] == '$' && text[i + 1] == '{')
			return relay_fail(err,
				"column %zu: a default cannot contain another "
				"variable; " DOLLAR,
				value_column(text, i));
	return 0;
}

/* The variable's value, "" if it is empty; NULL: it is not set. */
static const char *get(const char *name, size_t len)
{
	char copy[NAME_MAX_LEN + 1];

	if (len == 0 || len > NAME_MAX_LEN)
		return NULL;
	memcpy(copy, name, len);
	copy[len] = '\0';
	return getenv(copy);
}

/* Only what looks like a variable's name is printed, since a secret may contain
 * a "${" that is meant as it is. */
static int fail(const char *text, size_t at, size_t len, const char *is,
	struct relay_err *err)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
	const char *name = text + at + 2;
	bool shown = len > 0 && len < 100 && strspn(name, allowed) >= len;

	return relay_fail(err,
		"column %zu: the environment variable %s%.*s%s is %s; "
		"${NAME:-DEFAULT} gives a default; " DOLLAR,
		value_column(text, at), shown ? "in ${" : "there",
		shown ? (int)len : 0, name, shown ? "}" : "", is);
}

/* text[at] begins "${", text[end] is its "}". */
static int resolve_one(char *text, size_t at, size_t end, struct relay_err *err)
{
	char *name = text + at + 2;
	size_t room = end - at - 2, len = 0;
	const char *value;
	bool has_default;

	/* The first colon counts, as for libconfuse. */
	while (len < room && name[len] != ':')
		len++;
	has_default = len + 1 < room && name[len + 1] == '-';
	if (!has_default)
		len = room;
	else if (check_default(text, at, end, err) != 0)
		return -1;
	value = get(name, len);
	/* An empty variable is usually a forgotten one, and an empty guard
	 * would let everybody in. */
	if (value && *value)
		return 0;
	if (has_default && len + 2 == room)
		memset(text + at, NOTHING, end + 1 - at);
	else if (has_default && value)
		name[0] = '\x01'; /* which is not set */
	if (has_default)
		return 0;
	return fail(text, at, len, value ? "empty" : "not set", err);
}

int config_variables_resolve(
	char *text, size_t from, size_t to, struct relay_err *err)
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
				"column %zu: the variable ${ is not "
				"closed; " DOLLAR,
				value_column(text, at));
		if (resolve_one(text, at, (size_t)(end - text), err) != 0)
			return -1;
		at = (size_t)(end - text);
	}
	return 0;
}
