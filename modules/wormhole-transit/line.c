/* SPDX-License-Identifier: MPL-2.0 */

/* Reads the line with which a client begins.  Pure. */

#include <string.h>

#include "wormhole-transit/line.h"

struct scan {
	const char *at;
	size_t left;
};

static enum line_state take_text(struct scan *scan, const char *text)
{
	for (; *text; text++, scan->at++, scan->left--) {
		if (scan->left == 0)
			return LINE_MORE;
		if (*scan->at != *text)
			return LINE_BAD;
	}
	return LINE_WHOLE;
}

/* Not isalnum(), which depends on the locale. */
static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_';
}

static enum line_state take_word(struct scan *scan, char *out, size_t len)
{
	for (size_t i = 0; i < len; i++, scan->at++, scan->left--) {
		if (scan->left == 0)
			return LINE_MORE;
		if (!is_word(*scan->at))
			return LINE_BAD;
		out[i] = *scan->at;
	}
	return LINE_WHOLE;
}

static enum line_state take_side(struct scan *scan, struct line *out)
{
	enum line_state state = take_text(scan, " for side ");

	out->sided = true;
	if (state == LINE_WHOLE)
		state = take_word(scan, out->side, LINE_SIDE);
	return state == LINE_WHOLE ? take_text(scan, "\n") : state;
}

enum line_state line_read(const void *bytes, size_t len, struct line *out)
{
	struct scan scan = {bytes, len};
	enum line_state state = take_text(&scan, "please relay ");

	out->sided = false;
	if (state == LINE_WHOLE)
		state = take_word(&scan, out->token, LINE_TOKEN);
	if (state != LINE_WHOLE)
		return state;
	state = take_text(&scan, "\n");
	if (state == LINE_BAD)
		state = take_side(&scan, out);
	out->len = len - scan.left;
	return state;
}
