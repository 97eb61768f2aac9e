/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Which bytes the text of a value may have.  Flags, escape sequences and
 * environment variables can put any byte into it, and exporters need UTF-8.
 */
#ifndef VALUE_TEXT_H
#define VALUE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include <strelaysrv/err.h>

/*
 * Checks that a value is UTF-8.  Control characters are allowed, because the
 * reference takes them in flags.  Returns 0, or -1 with err.
 */
int value_text_check(const char *text, struct relay_err *err);

/* The same for a value of a configuration file, where a control character is
 * the result of a wrong escape sequence. */
int value_in_file_check(const char *text, struct relay_err *err);

/* Whether the text has a URL with a user, password or query, RFC 3986, sections
 * 3.2.1 and 3.4: each of them may be a secret. */
bool value_has_secret(const char *text);

/*
 * Checks the token text[from] to text[to - 1] of a configuration file: a NUL
 * that an escape sequence writes would end the value there.  Returns 0, or -1
 * with err.
 */
int value_escapes_check(
	const char *text, size_t from, size_t to, struct relay_err *err);

/* The column of text[at] in its line, in bytes from 1. */
size_t value_column(const char *text, size_t at);

#endif
