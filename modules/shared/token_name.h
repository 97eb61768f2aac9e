/* SPDX-License-Identifier: MPL-2.0 */

/* token_name.h - what a named token may be called, in files, commands and
 * metrics. */
#ifndef TOKEN_NAME_H
#define TOKEN_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define TOKEN_NAME_TEXT 33 /* with its NUL */

/* Whether the first `len` bytes of the text are such a name, and what follows
 * is no more of it. */
static inline bool token_name_is_valid(const char *text, size_t len)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_.";

	return len > 0 && len < TOKEN_NAME_TEXT && strspn(text, letters) == len;
}

#endif
