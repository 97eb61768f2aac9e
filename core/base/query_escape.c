/* SPDX-License-Identifier: MPL-2.0 */

/* Escapes text for the query part of a URL. */

#include <stdbool.h>
#include <string.h>

#include "strelaysrv/query.h"

/* Not with isalnum(), whose result depends on the locale. */
static bool is_unreserved(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c >= '0' && c <= '9') || (c && strchr("-_.~", c));
}

static size_t escape_byte(char c, char out[3])
{
	static const char hex[] = "0123456789ABCDEF";

	if (is_unreserved(c) || c == ' ') {
		out[0] = (char)(c == ' ' ? '+' : c);
		return 1;
	}
	out[0] = '%';
	out[1] = hex[(unsigned char)c >> 4];
	out[2] = hex[(unsigned char)c & 15];
	return 3;
}

size_t relay_query_escape(const char *text, char *out, size_t cap)
{
	size_t need = 0, at = 0;

	for (; *text; text++) {
		char piece[3];
		size_t n = escape_byte(*text, piece);

		/* After the first piece that does not fit, need differs from
		 * at, and nothing more is written. */
		if (need == at && cap > n && at < cap - n) {
			memcpy(out + at, piece, n);
			at += n;
		}
		need += n;
	}
	if (cap)
		out[at] = '\0';
	return need;
}
