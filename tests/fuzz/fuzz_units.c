/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Fuzzes the parsers of option values: durations, integers, booleans, sizes,
 * rates.
 */

#include <strelaysrv/units.h>

#include "fuzz.h"

#define BEFORE INT64_C(-0x0123456789abcdef)

static void check_duration(int64_t ns)
{
	char text[RELAY_DURATION_TEXT];
	int64_t again = 0;

	relay_duration_format(ns, text);
	FUZZ_CHECK(strlen(text) < sizeof(text));
	FUZZ_CHECK(relay_duration_parse(text, &again, NULL) == 0);
	FUZZ_CHECK(again == ns);
}

/* The formatted value is rounded, but must be parseable. */
static void check_amount(int64_t v)
{
	char size[RELAY_SIZE_TEXT], rate[RELAY_RATE_TEXT];

	relay_size_format(v, size);
	relay_rate_format(v, rate);
	FUZZ_CHECK(strlen(size) < sizeof(size));
	FUZZ_CHECK(strlen(rate) < sizeof(rate));
}

static void check_integer(int64_t v)
{
	char text[32];
	int64_t again = 0;

	(void)snprintf(text, sizeof(text), "%lld", (long long)v);
	FUZZ_CHECK(relay_int_parse(text, &again, NULL) == 0);
	FUZZ_CHECK(again == v);
}

typedef int (*parse)(const char *, int64_t *, struct relay_err *);

/* Calls the parser, and checks that it succeeds, or fails with a terminated
 * error text and leaves the result unchanged. */
static int try_parse(parse f, const char *text, int64_t *v)
{
	struct relay_err err;
	int got;

	memset(&err, 'x', sizeof(err));
	*v = BEFORE;
	got = f(text, v, &err);
	FUZZ_CHECK(got == 0 || got == -1);
	if (got == 0)
		return 0;
	FUZZ_CHECK(*v == BEFORE);
	FUZZ_CHECK(memchr(err.text, '\0', sizeof(err.text)));
	return got;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	bool truth;
	int64_t v;

	if (try_parse(relay_duration_parse, text, &v) == 0)
		check_duration(v);
	if (try_parse(relay_int_parse, text, &v) == 0)
		check_integer(v);
	if (try_parse(relay_size_parse, text, &v) == 0) {
		FUZZ_CHECK(v >= 0);
		check_amount(v);
	}
	if (try_parse(relay_rate_parse, text, &v) == 0) {
		FUZZ_CHECK(v >= 0);
		check_amount(v);
	}
	(void)relay_bool_parse(text, &truth, NULL);
	if (size >= sizeof(v)) {
		memcpy(&v, data, sizeof(v));
		check_duration(v);
		check_integer(v);
		check_amount(v < 0 ? -(v + 1) : v);
	}
	free(text);
	return 0;
}
