/* SPDX-License-Identifier: MPL-2.0 */

/* Parses and formats durations in Go's notation. */

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "strelaysrv/units.h"

#define NS_PER_US UINT64_C(1000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S  UINT64_C(1000000000)
#define NS_PER_M  (60 * NS_PER_S)
#define NS_PER_H  (60 * NS_PER_M)

/* The magnitude of INT64_MIN.  The sum may reach it; whether that is too much
 * depends on the sign, which is checked later. */
#define MAGNITUDE_MAX (UINT64_C(1) << 63)

static const struct {
	const char *name;
	uint64_t ns;
} units[] = {
	{"ns", 1},
	{"us", NS_PER_US},
	{"\xc2\xb5s", NS_PER_US}, /* U+00B5 micro sign */
	{"\xce\xbcs", NS_PER_US}, /* U+03BC Greek letter mu */
	{"ms", NS_PER_MS},
	{"s", NS_PER_S},
	{"m", NS_PER_M},
	{"h", NS_PER_H},
};

struct term {
	uint64_t whole;
	uint64_t fraction;
	double scale;  /* 10 to the power of the number of fraction digits */
	uint64_t unit; /* ns */
};

enum term_result { TERM_OK, TERM_MALFORMED, TERM_NO_UNIT, TERM_TOO_LONG };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool read_whole(const char **pos, uint64_t *whole)
{
	uint64_t v = 0;
	const char *p = *pos;

	for (; is_digit(*p); p++) {
		uint64_t digit = (uint64_t)(*p - '0');

		if (v > (MAGNITUDE_MAX - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	*pos = p;
	*whole = v;
	return true;
}

/* Ignores digits that do not fit: they are far less than a nanosecond. */
static void read_fraction(const char **pos, struct term *t)
{
	const char *p = *pos;
	bool full = false;

	for (; is_digit(*p); p++) {
		uint64_t digit = (uint64_t)(*p - '0');

		full = full || t->fraction > (MAGNITUDE_MAX - digit) / 10;
		if (full)
			continue;
		t->fraction = t->fraction * 10 + digit;
		t->scale *= 10;
	}
	*pos = p;
}

static uint64_t read_unit(const char **pos)
{
	const char *start = *pos;
	size_t len = strcspn(start, ".0123456789");

	*pos = start + len;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strlen(units[i].name) == len &&
			memcmp(units[i].name, start, len) == 0)
			return units[i].ns;
	return 0;
}

static enum term_result read_term(const char **pos, struct term *t)
{
	const char *start = *pos;

	*t = (struct term){.scale = 1};
	if (!read_whole(pos, &t->whole))
		return TERM_TOO_LONG;
	if (**pos == '.') {
		(*pos)++;
		read_fraction(pos, t);
		/* There is no digit on either side of the point. */
		if (*pos == start + 1)
			return TERM_MALFORMED;
	} else if (*pos == start) {
		return TERM_MALFORMED;
	}
	if (!**pos)
		return TERM_NO_UNIT;
	t->unit = read_unit(pos);
	return t->unit ? TERM_OK : TERM_MALFORMED;
}

static enum term_result add_term(const struct term *t, uint64_t *sum)
{
	uint64_t v;

	if (t->whole > MAGNITUDE_MAX / t->unit)
		return TERM_TOO_LONG;
	v = t->whole * t->unit;
	/* In floating point, to get the same result as Go: 0.333...h is 20m. */
	v += (uint64_t)((double)t->fraction * ((double)t->unit / t->scale));
	if (v > MAGNITUDE_MAX || *sum > MAGNITUDE_MAX - v)
		return TERM_TOO_LONG;
	*sum += v;
	return TERM_OK;
}

static enum term_result read_sum(const char *p, uint64_t *sum)
{
	*sum = 0;
	if (strcmp(p, "0") == 0)
		return TERM_OK;
	do {
		struct term t;
		enum term_result r = read_term(&p, &t);

		if (r == TERM_OK)
			r = add_term(&t, sum);
		if (r != TERM_OK)
			return r;
	} while (*p);
	return TERM_OK;
}

static int fail(struct relay_err *err, const char *text, enum term_result r)
{
	if (r == TERM_TOO_LONG)
		return relay_fail(err,
			"\"%.64s\" is too long a duration; the longest is "
			"2562047h47m16.854775807s",
			text);
	if (r == TERM_NO_UNIT)
		return relay_fail(err,
			"\"%.64s\" does not end in a unit; write %.64ss if "
			"seconds are meant",
			text, text);
	return relay_fail(err,
		"\"%.64s\" is no duration; write a number with a unit, like "
		"90s, 1h30m or 500ms",
		text);
}

int relay_duration_parse(const char *text, int64_t *ns, struct relay_err *err)
{
	bool negative = *text == '-';
	uint64_t sum;
	enum term_result r;

	r = read_sum(text + (negative || *text == '+'), &sum);
	if (r == TERM_OK && sum == MAGNITUDE_MAX && !negative)
		r = TERM_TOO_LONG;
	if (r != TERM_OK)
		return fail(err, text, r);
	if (sum == MAGNITUDE_MAX)
		*ns = INT64_MIN;
	else
		*ns = negative ? -(int64_t)sum : (int64_t)sum;
	return 0;
}

/* Writes v / 10^digits without trailing zeros. */
static void format_fraction(uint64_t v, unsigned digits, char out[24])
{
	uint64_t scale = 1;
	size_t len;

	for (unsigned i = 0; i < digits; i++)
		scale *= 10;
	(void)snprintf(out, 24, "%" PRIu64 ".%0*" PRIu64, v / scale,
		(int)digits, v % scale);
	len = strlen(out);
	while (out[len - 1] == '0')
		len--;
	if (out[len - 1] == '.')
		len--;
	out[len] = '\0';
}

static void format_below_second(
	uint64_t v, const char *sign, char out[RELAY_DURATION_TEXT])
{
	char number[24];
	const char *unit = "ms";

	if (v < NS_PER_US) {
		(void)snprintf(out, RELAY_DURATION_TEXT, "%s%u%s", sign,
			(unsigned)v, v ? "ns" : "s");
		return;
	}
	if (v < NS_PER_MS) {
		unit = "\xc2\xb5s";
		format_fraction(v, 3, number);
	} else {
		format_fraction(v, 6, number);
	}
	(void)snprintf(out, RELAY_DURATION_TEXT, "%s%s%s", sign, number, unit);
}

void relay_duration_format(int64_t ns, char out[RELAY_DURATION_TEXT])
{
	uint64_t v = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
	const char *sign = ns < 0 ? "-" : "";
	unsigned h = (unsigned)(v / NS_PER_H);
	unsigned m = (unsigned)(v % NS_PER_H / NS_PER_M);
	char s[24];

	if (v < NS_PER_S) {
		format_below_second(v, sign, out);
		return;
	}
	format_fraction(v % NS_PER_M, 9, s);
	if (h)
		(void)snprintf(out, RELAY_DURATION_TEXT, "%s%uh%um%.12ss", sign,
			h, m, s);
	else if (m)
		(void)snprintf(
			out, RELAY_DURATION_TEXT, "%s%um%.12ss", sign, m, s);
	else
		(void)snprintf(out, RELAY_DURATION_TEXT, "%s%.12ss", sign, s);
}
