/* SPDX-License-Identifier: MPL-2.0 */

/* Prints arguments of the command line, but no secret. */

#include <stdlib.h>
#include <string.h>

#include "config/flag_table.h"
#include "config/print_argument.h"
#include "config/value_text.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

void print_quoted(const char *text, FILE *out)
{
	(void)fputc('"', out);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			(void)fprintf(out, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			(void)fprintf(out, "\\x%02x", c);
		else
			(void)fputc(c, out);
	}
	(void)fputc('"', out);
}

void print_stray(const struct flag_table *table, const char *arg, FILE *out)
{
	size_t dashes = strcspn(arg, LETTERS), len;
	const struct flag *secret;
	char *shown;

	len = flag_table_printable(
		table, arg + dashes, strlen(arg + dashes), &secret);
	if (!secret) {
		print_quoted(value_has_secret(arg) ? "***" : arg, out);
		return;
	}
	shown = strndup(arg, dashes + len);
	print_quoted(shown ? shown : "", out);
	free(shown);
	if (arg[dashes + len])
		(void)fputs(" and more", out);
}
