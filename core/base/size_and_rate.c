/* SPDX-License-Identifier: MPL-2.0 */

/* Parses and formats sizes and rates. */

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "strelaysrv/units.h"

/* A decimal number and its unit; the pointers point into the parsed text. */
struct quantity {
	uint64_t whole; /* at most UINT64_MAX: it saturates */
	const char *fraction, *unit;
	size_t fraction_len, unit_len;
	bool nonzero, per_s;
};

struct scale {
	uint64_t factor;
	unsigned divisor;
};

static const char prefixes[] = "kMGT";

static const struct {
	const char *text;
	uint64_t base;
	unsigned divisor;
	bool needs_prefix, rate_only, has_per_s;
} endings[] = {
	{"", 1000, 1, false, false, false},
	{"B", 1000, 1, false, false, false},
	{"i", 1024, 1, true, false, false},
	{"iB", 1024, 1, true, false, false},
	{"bit", 1000, 8, false, true, false},
	{"bps", 1000, 8, false, true, true},
};

enum amount_result {
	AMOUNT_OK,
	AMOUNT_MALFORMED,
	AMOUNT_TOO_LARGE,
	AMOUNT_TOO_SMALL
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const char *read_whole(const char *p, struct quantity *q)
{
	for (; is_digit(*p); p++) {
		unsigned digit = (unsigned)(*p - '0');

		q->nonzero = q->nonzero || digit;
		if (q->whole > (UINT64_MAX - digit) / 10)
			q->whole = UINT64_MAX;
		else
			q->whole = q->whole * 10 + digit;
	}
	return p;
}

/* Refuses a leading zero: without a unit the number would be octal. */
static bool read_quantity(const char *p, struct quantity *q)
{
	*q = (struct quantity){0};
	if (!is_digit(p[0]) || (p[0] == '0' && is_digit(p[1])))
		return false;
	p = read_whole(p, q);
	if (*p == '.') {
		q->fraction = ++p;
		for (; is_digit(*p); p++)
			q->nonzero = q->nonzero || *p != '0';
		q->fraction_len = (size_t)(p - q->fraction);
		if (!q->fraction_len)
			return false;
	}
	p += strspn(p, " ");
	q->unit = p;
	q->unit_len = strlen(p);
	return true;
}

static void strip_per_s(struct quantity *q)
{
	if (q->unit_len < 2 || memcmp(q->unit + q->unit_len - 2, "/s", 2) != 0)
		return;
	q->unit_len -= 2;
	q->per_s = true;
}

static bool find_scale(const struct quantity *q, bool rate, struct scale *s)
{
	const char *unit = q->unit, *prefix = NULL;
	size_t len = q->unit_len, power = 0;

	if (len)
		prefix = strchr(prefixes, *unit == 'K' ? 'k' : *unit);
	if (prefix) {
		power = (size_t)(prefix - prefixes) + 1;
		unit++;
		len--;
	}
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		if (strlen(endings[i].text) != len ||
			memcmp(endings[i].text, unit, len) != 0)
			continue;
		if ((endings[i].needs_prefix && !power) ||
			(endings[i].rate_only && !rate) ||
			(endings[i].has_per_s && q->per_s))
			return false;
		s->factor = 1;
		while (power--)
			s->factor *= endings[i].base;
		s->divisor = endings[i].divisor;
		return true;
	}
	return false;
}

/* Computes factor * 0.FRACTION, rounded down, from the last digit to the first.
 * Rounding down at each step gives the same result as rounding once at the end,
 * for any number of digits. */
static uint64_t scale_fraction(const struct quantity *q, uint64_t factor)
{
	uint64_t v = 0;

	for (size_t i = q->fraction_len; i > 0; i--)
		v = ((uint64_t)(q->fraction[i - 1] - '0') * factor + v) / 10;
	return v;
}

static enum amount_result apply_scale(
	const struct quantity *q, const struct scale *s, int64_t *v)
{
	uint64_t sum = scale_fraction(q, s->factor);

	if (q->whole > ((uint64_t)INT64_MAX - sum) / s->factor)
		return AMOUNT_TOO_LARGE;
	sum = (q->whole * s->factor + sum) / s->divisor;
	/* Not rounded down to 0: that would turn a very low limit into none. */
	if (!sum && q->nonzero)
		return AMOUNT_TOO_SMALL;
	*v = (int64_t)sum;
	return AMOUNT_OK;
}

static enum amount_result read_scaled(const char *text, bool rate, int64_t *v)
{
	struct quantity q;
	struct scale s;

	if (!read_quantity(text, &q))
		return AMOUNT_MALFORMED;
	if (rate)
		strip_per_s(&q);
	/*
	 * relay_int_parse() has refused the text already.  Without a unit, only
	 * an integer that is too large passes this check; apply_scale() reports
	 * it.
	 */
	if (!q.unit_len && (q.fraction_len || q.unit[-1] == ' '))
		return AMOUNT_MALFORMED;
	if (!find_scale(&q, rate, &s))
		return AMOUNT_MALFORMED;
	return apply_scale(&q, &s, v);
}

static int fail_amount(struct relay_err *err, const char *text, bool rate,
	enum amount_result r)
{
	const char *per_s = rate ? " per second" : "";

	if (text[0] == '-' && is_digit(text[1]))
		return relay_fail(err, "\"%.64s\" is negative; write %s", text,
			rate ? "0 for an unlimited rate" : "0 or more bytes");
	if (r == AMOUNT_TOO_LARGE)
		return relay_fail(err,
			"\"%.64s\" is too large; the most is %" PRId64
			" bytes%s",
			text, INT64_MAX, per_s);
	if (r == AMOUNT_TOO_SMALL)
		return relay_fail(err,
			"\"%.64s\" is less than one byte%s; write at least "
			"1, or 0%s",
			text, per_s, rate ? " for unlimited" : "");
	return relay_fail(err,
		"\"%.64s\" is no %s; write bytes%s, or a number with a unit, "
		"like %s",
		text, rate ? "rate" : "size", per_s,
		rate ? "500k, 10MB/s, 64KiB/s or 100Mbit/s"
		     : "64KiB, 1.5M (of 1000) or 2GiB");
}

int relay_size_parse(const char *text, int64_t *bytes, struct relay_err *err)
{
	enum amount_result r = AMOUNT_OK;
	int64_t n = 0;

	if (relay_int_parse(text, &n, NULL))
		r = read_scaled(text, false, &n);
	if (r != AMOUNT_OK || n < 0)
		return fail_amount(err, text, false, r);
	*bytes = n;
	return 0;
}

int relay_rate_parse(
	const char *text, int64_t *bytes_per_s, struct relay_err *err)
{
	enum amount_result r = AMOUNT_OK;
	int64_t n = 0;

	if (relay_int_parse(text, &n, NULL))
		r = read_scaled(text, true, &n);
	if (r != AMOUNT_OK)
		return fail_amount(err, text, true, r);
	*bytes_per_s = n < 0 ? 0 : n;
	return 0;
}

/* Rounds to tenths.  If the rounded value reaches the base, the next unit is
 * used: 1 MiB instead of 1024 KiB. */
static void format_amount(int64_t n, uint64_t base, const char *const units[7],
	char *out, size_t cap)
{
	uint64_t v = n < 0 ? -(uint64_t)n : (uint64_t)n;
	uint64_t unit = 1, tenths = v;
	size_t i = 0;

	while (i < 6 && tenths >= (i ? base * 10 : base)) {
		unit *= base;
		i++;
		tenths = v / unit * 10 + (v % unit * 10 + unit / 2) / unit;
	}
	if (i == 0 || tenths % 10 == 0)
		(void)snprintf(out, cap, "%s%" PRIu64 " %s", n < 0 ? "-" : "",
			i ? tenths / 10 : tenths, units[i]);
	else
		(void)snprintf(out, cap, "%s%" PRIu64 ".%u %s",
			n < 0 ? "-" : "", tenths / 10, (unsigned)(tenths % 10),
			units[i]);
}

void relay_size_format(int64_t bytes, char out[RELAY_SIZE_TEXT])
{
	static const char *const units[7] = {
		"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};

	format_amount(bytes, 1024, units, out, RELAY_SIZE_TEXT);
}

void relay_rate_format(int64_t bytes_per_s, char out[RELAY_RATE_TEXT])
{
	static const char *const units[7] = {
		"B/s", "kB/s", "MB/s", "GB/s", "TB/s", "PB/s", "EB/s"};

	format_amount(bytes_per_s, 1000, units, out, RELAY_RATE_TEXT);
}
