/* SPDX-License-Identifier: MPL-2.0 */

/* Parses integers and booleans. */

#include <inttypes.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "strelaysrv/units.h"

enum parse_result { PARSE_OK, PARSE_MALFORMED, PARSE_TOO_LARGE };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static unsigned digit_value(char c)
{
	if (is_digit(c))
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a' + 10);
	if (c >= 'A' && c <= 'F')
		return (unsigned)(c - 'A' + 10);
	return 16;
}

/* Returns the base, and moves *pos past the prefix 0x, 0o or 0b.  A leading 0
 * that means octal is not skipped, since it is also a digit. */
static unsigned read_base(const char **pos)
{
	const char *p = *pos;

	if (p[0] != '0')
		return 10;
	if (p[1] && p[2]) {
		*pos += 2;
		switch (p[1]) {
		case 'x':
		case 'X':
			return 16;
		case 'o':
		case 'O':
			return 8;
		case 'b':
		case 'B':
			return 2;
		default:
			*pos -= 2;
		}
	}
	return 8;
}

static enum parse_result read_integer(const char *p, int64_t *v)
{
	bool negative = *p == '-', after_digit;
	uint64_t sum = 0, limit = (uint64_t)INT64_MAX + negative;
	const char *start;
	unsigned base;

	start = p += negative || *p == '+';
	base = read_base(&p);
	after_digit = p != start; /* an underscore may follow a prefix */
	for (; *p; p++) {
		unsigned digit = digit_value(*p);

		if (*p == '_' && after_digit) {
			after_digit = false;
			continue;
		}
		if (digit >= base)
			return PARSE_MALFORMED;
		if (sum > (limit - digit) / base)
			return PARSE_TOO_LARGE;
		sum = sum * base + digit;
		after_digit = true;
	}
	if (!after_digit)
		return PARSE_MALFORMED;
	/* Negates sum - 1, since sum may be 2^63, too large for int64_t. */
	*v = negative && sum ? -(int64_t)(sum - 1) - 1 : (int64_t)sum;
	return PARSE_OK;
}

int relay_int_parse(const char *text, int64_t *v, struct relay_err *err)
{
	enum parse_result r = read_integer(text, v);

	if (r == PARSE_OK)
		return 0;
	if (r == PARSE_TOO_LARGE)
		return relay_fail(err,
			"\"%.64s\" does not fit into 64 bits; write a number "
			"from %" PRId64 " to %" PRId64,
			text, INT64_MIN, INT64_MAX);
	return relay_fail(err,
		"\"%.64s\" is no integer; write one like 65536, 0x10000 or "
		"65_536",
		text);
}

int relay_bool_parse(const char *text, bool *v, struct relay_err *err)
{
	static const struct {
		const char *text;
		bool any_case, value;
	} words[] = {
		{"1", false, true},
		{"t", true, true}, /* any case: t and T, as in Go */
		{"true", false, true},
		{"True", false, true},
		{"TRUE", false, true},
		{"yes", true, true},
		{"on", true, true},
		{"0", false, false},
		{"f", true, false},
		{"false", false, false},
		{"False", false, false},
		{"FALSE", false, false},
		{"no", true, false},
		{"off", true, false},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		int differ = words[i].any_case ? strcasecmp(text, words[i].text)
					       : strcmp(text, words[i].text);

		if (differ != 0)
			continue;
		*v = words[i].value;
		return 0;
	}
	return relay_fail(err,
		"\"%.64s\" is neither true nor false; write one "
		"of true, false, yes, no, on, off, 1, 0",
		text);
}
