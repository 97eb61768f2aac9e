/* SPDX-License-Identifier: MPL-2.0 */

/* Which bytes the text of a value may have. */

#include <string.h>

#include <strelaysrv/file.h>

#include "config/value_text.h"

int value_text_check(const char *text, struct relay_err *err)
{
	if (relay_text_fault(text, strlen(text)))
		return relay_fail(err, "it is not valid UTF-8");
	return 0;
}

int value_in_file_check(const char *text, struct relay_err *err)
{
	for (const char *at = text; *at; at++)
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			return relay_fail(err, "it has a control character");
	return value_text_check(text, err);
}

bool value_has_secret(const char *text)
{
	const char *host = text;

	/* The text may be a list. */
	while ((host = strstr(host, "://")) != NULL) {
		host += 3;
		if (host[strcspn(host, "/?#@")] == '@' || strchr(host, '?'))
			return true;
	}
	return false;
}

/* Whether \0, \00, \000, \x0 or \x00 is after the backslash at text[at]. */
static bool is_nul(const char *text, size_t at, size_t to)
{
	size_t digits = at + 1, end;
	bool hex = digits < to && text[digits] == 'x';
	size_t most = hex ? 2 : 3;

	digits += hex;
	for (end = digits; end < to && end < digits + most; end++)
		if (text[end] != '0')
			break;
	if (end == digits)
		return false;
	if (end == digits + most || end == to)
		return true;
	/* A further digit makes another number of it. */
	return !strchr(hex ? "123456789abcdefABCDEF" : "1234567", text[end]);
}

int value_escapes_check(
	const char *text, size_t from, size_t to, struct relay_err *err)
{
	if (text[from] != '"')
		return 0;
	for (size_t at = from; at + 1 < to; at++) {
		if (text[at] != '\\')
			continue;
		if (is_nul(text, at, to))
			return relay_fail(err,
				"the escape sequence \\%c… is a NUL byte, "
				"which would end the text there; write \\\\ "
				"for a backslash",
				text[at + 1]);
		at++;
	}
	return 0;
}

size_t value_column(const char *text, size_t at)
{
	size_t column = 1;

	while (at-- && text[at] != '\n')
		column++;
	return column;
}
