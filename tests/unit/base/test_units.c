/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of durations, integers, sizes and rates.  Go's values were made with
 * Go. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "strelaysrv/units.h"

#define MS        INT64_C(1000000)
#define S         (1000 * MS)
#define M         (60 * S)
#define H         (60 * M)
#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))
#define UNTOUCHED INT64_C(-987654321)

typedef int parse_fn(const char *text, int64_t *v, struct relay_err *err);
typedef void format_fn(int64_t v, char *out);

struct pair {
	const char *text;
	int64_t value;
};

static void accept(parse_fn *parse, const struct pair *pairs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct relay_err err = {""};
		int64_t v = UNTOUCHED;

		if (parse(pairs[i].text, &v, &err))
			fail_msg("\"%s\": %s", pairs[i].text, err.text);
		if (v != pairs[i].value)
			fail_msg("\"%s\": got %jd, want %jd", pairs[i].text,
				(intmax_t)v, (intmax_t)pairs[i].value);
	}
}

static void refuse(
	parse_fn *parse, const char *const *texts, size_t n, const char *reason)
{
	for (size_t i = 0; i < n; i++) {
		struct relay_err err = {""};
		int64_t v = UNTOUCHED;

		if (!parse(texts[i], &v, &err))
			fail_msg("\"%s\": got %jd, want an error", texts[i],
				(intmax_t)v);
		assert_int_equal(v, UNTOUCHED);
		if (!strstr(err.text, reason))
			fail_msg("\"%s\": got \"%s\", want \"%s\" in it",
				texts[i], err.text, reason);
		assert_int_equal(parse(texts[i], &v, NULL), -1);
	}
}

static void format(format_fn *fmt, const struct pair *pairs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char out[32];

		fmt(pairs[i].value, out);
		assert_string_equal(out, pairs[i].text);
	}
}

static void reads_durations(void **state)
{
	static const struct pair pairs[] = {
		{"0", 0},
		{"-0", 0},
		{"+0", 0},
		{"0s", 0},
		{"90s", 90 * S},
		{"1h30m", 90 * M},
		{"500ms", 500 * MS},
		{"2m0s", 2 * M},
		{"1.5s", 1500 * MS},
		{".5s", 500 * MS},
		{"5.s", 5 * S},
		{"-1s", -S},
		{"-.5m", -30 * S},
		{"+1m", M},
		{"1ns", 1},
		{"1us", 1000},
		{"1\xc2\xb5s", 1000},
		{"1\xce\xbcs", 1000},
		{"0.9ns", 0},
		{"1m1m", 2 * M},
		{"90061001ms", 25 * H + M + S + MS},
		{"1h2m3s4ms5us6ns", H + 2 * M + 3 * S + 4 * MS + 5006},
		{"0.3333333333333333333h", 20 * M},
		{"0.100000000000000000000h", 6 * M},
		{"0.830103483285477580700h", 49 * M + 48 * S + 372539827},
		{"9223372036854775807ns", INT64_MAX},
		{"2562047h47m16.854775807s", INT64_MAX},
		{"-2562047h47m16.854775808s", INT64_MIN},
		{"-9223372036854775808ns", INT64_MIN},
	};

	(void)state;
	accept(relay_duration_parse, pairs, COUNT(pairs));
}

static void refuses_what_is_no_duration(void **state)
{
	static const char *const texts[] = {"", "-", "+", "s", ".", ".s", "-.s",
		"5 parsecs", "1 s", " 1s", "1s ", "1x", "1S", "3000d", "--1s",
		"+-1s", "1s-1s", "1.2.3s", "1..5s", "1e3s", "0x1s", "1\xb5s",
		"\xef\xbc\x91s"};
	static const char *const no_unit[] = {"90", "1.5", "1h30", "-1", "00"};

	(void)state;
	refuse(relay_duration_parse, texts, COUNT(texts),
		"is no duration; write a number with a unit, like 90s, 1h30m "
		"or 500ms");
	refuse(relay_duration_parse, texts + 7, 1,
		"\"5 parsecs\" is no duration");
	refuse(relay_duration_parse, no_unit, COUNT(no_unit),
		"does not end in a unit");
	refuse(relay_duration_parse, no_unit, 1,
		"write 90s if seconds are meant");
}

static void refuses_too_long_durations(void **state)
{
	static const char *const texts[] = {"9223372036854775808ns",
		"-9223372036854775809ns", "9223372036854775.808us",
		"9223372036854ms775us808ns", "3000000h", "2562048h",
		"2562047h47m16.854775808s", "99999999999999999999s"};

	(void)state;
	refuse(relay_duration_parse, texts, COUNT(texts), "too long");
}

static void prints_durations_as_go_does(void **state)
{
	static const struct pair pairs[] = {
		{"0s", 0},
		{"1ns", 1},
		{"999ns", 999},
		{"1\xc2\xb5s", 1000},
		{"1.5\xc2\xb5s", 1500},
		{"-1.001\xc2\xb5s", -1001},
		{"999.999\xc2\xb5s", 999999},
		{"1ms", MS},
		{"500ms", 500 * MS},
		{"2.2ms", 2200000},
		{"999.999999ms", S - 1},
		{"1s", S},
		{"1.5s", 1500 * MS},
		{"10.000000001s", 10 * S + 1},
		{"1m0s", M},
		{"2m0s", 2 * M},
		{"4m5.001s", 4 * M + 5001 * MS},
		{"1h0m0s", H},
		{"5h6m7.001s", 5 * H + 6 * M + 7001 * MS},
		{"25h1m1.001s", 25 * H + M + 1001 * MS},
		{"-1h30m0s", -90 * M},
		{"8m0.000000001s", 8 * M + 1},
		{"2562047h47m16.854775807s", INT64_MAX},
		{"-2562047h47m16.854775808s", INT64_MIN},
	};

	(void)state;
	format(relay_duration_format, pairs, COUNT(pairs));
	accept(relay_duration_parse, pairs, COUNT(pairs));
}

static void reads_integers_as_go_does(void **state)
{
	static const struct pair pairs[] = {
		{"0", 0},
		{"-0", 0},
		{"+7", 7},
		{"-12", -12},
		{"65536", 65536},
		{"0x10", 16},
		{"0XfF", 255},
		{"-0x10", -16},
		{"0o17", 15},
		{"0O17", 15},
		{"017", 15},
		{"00", 0},
		{"0_7", 7},
		{"0b101", 5},
		{"0B1", 1},
		{"0x_1", 1},
		{"1_000", 1000},
		{"0x1_0_0", 256},
		{"9223372036854775807", INT64_MAX},
		{"-9223372036854775808", INT64_MIN},
		{"-0x8000000000000000", INT64_MIN},
	};

	(void)state;
	accept(relay_int_parse, pairs, COUNT(pairs));
}

static void refuses_what_is_no_integer(void **state)
{
	static const char *const texts[] = {"", "-", "+", "--1", "+-1", "1 ",
		" 1", "0x", "0b", "0o", "0x_", "_1", "1_", "1__0", "0_", "-_1",
		"0__7", "08", "0b2", "0o8", "0xg", "1a", "1.0", "1e3", "64k",
		"0x-1", "0_x1"};
	static const char *const large[] = {"9223372036854775808",
		"-9223372036854775809", "0x8000000000000000",
		"18446744073709551616", "99999999999999999999999"};

	(void)state;
	refuse(relay_int_parse, texts, COUNT(texts), "is no integer");
	refuse(relay_int_parse, large, COUNT(large), "fit into 64 bits");
}

static void reads_truth_values(void **state)
{
	static const char *const yes[] = {"1", "t", "T", "true", "True", "TRUE",
		"yes", "Yes", "YES", "on", "On", "ON"};
	static const char *const no[] = {"0", "f", "F", "false", "False",
		"FALSE", "no", "No", "NO", "off", "Off", "oFF"};
	static const char *const bad[] = {
		"", "2", "tRUE", "y", "n", "yes ", "10", "truee", "enabled"};
	struct relay_err err;
	bool v;

	(void)state;
	for (size_t i = 0; i < COUNT(yes); i++) {
		v = false;
		assert_int_equal(relay_bool_parse(yes[i], &v, &err), 0);
		assert_true(v);
		assert_int_equal(relay_bool_parse(no[i], &v, &err), 0);
		assert_false(v);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_int_equal(relay_bool_parse(bad[i], &v, &err), -1);
		assert_non_null(strstr(err.text, "neither true nor false"));
	}
}

static void reads_sizes(void **state)
{
	static const struct pair pairs[] = {
		{"0", 0},
		{"65536", 65536},
		{"0x10", 16},
		{"0o7", 7},
		{"0b1", 1},
		{"1_000", 1000},
		{"0B", 0},
		{"900 B", 900},
		{"64k", 64000},
		{"64K", 64000},
		{"64kB", 64000},
		{"2M", 2000000},
		{"2 MB", 2000000},
		{"3G", INT64_C(3000000000)},
		{"3TB", INT64_C(3000000000000)},
		{"64Ki", 65536},
		{"64KiB", 65536},
		{"64kiB", 65536},
		{"1.5MiB", 1572864},
		{"1.5  Gi", INT64_C(1610612736)},
		{"1TiB", INT64_C(1) << 40},
		{"0.5k", 500},
		{"0.0k", 0},
		{"0.1KiB", 102},
		{"1.0009999999999999999999999999999999999999999k", 1000},
		{"1.001k", 1001},
		{"4.35M", 4350000}, /* 4349999.999... in floating point */
		{"9007199254740.993k", INT64_C(9007199254740993)},
		{"9223372036854775807", INT64_MAX},
		{"9223372036854775807B", INT64_MAX},
		{"9223372036854775.807k", INT64_MAX},
		{"9223372.0368547758079999T", INT64_MAX},
		{"8388607.99999999999999999999TiB", INT64_MAX},
	};

	(void)state;
	accept(relay_size_parse, pairs, COUNT(pairs));
}

static void refuses_what_is_no_size(void **state)
{
	static const char *const texts[] = {"", " ", "k", "KiB", "5 parsecs",
		"1.5", "1.k", ".5k", "1..5k", "1 ", " 1", "64k ", "64\tk",
		"010k", "1_000k", "0x10k", "1e3", "64kb", "64m", "64g", "64t",
		"64MIB", "5i", "5iB", "1P", "kk", "64kBB", "1,5M", "10M/s",
		"10Mbit", "10Mbps", "8bit", "08"};
	static const char *const negative[] = {"-1", "-5MiB", "-0x10"};
	static const char *const large[] = {"9223372036854775808",
		"9223372036854775.808k", "8388608TiB", "9223373T",
		"99999999999999999999999999999999999999k"};
	static const char *const small[] = {
		"0.1B", "0.0001k", "0.00000000000000000000000000001TiB"};

	(void)state;
	refuse(relay_size_parse, texts, COUNT(texts), "is no size");
	refuse(relay_size_parse, negative, COUNT(negative), "is negative");
	refuse(relay_size_parse, large, COUNT(large), "too large");
	refuse(relay_size_parse, small, COUNT(small), "less than one byte");
}

static void reads_rates(void **state)
{
	static const struct pair pairs[] = {
		{"0", 0},
		{"-1", 0},
		{"500000", 500000},
		{"0x10", 16},
		{"1000/s", 1000},
		{"1000 B/s", 1000},
		{"10M", 10000000},
		{"10MB/s", 10000000},
		{"10 MB/s", 10000000},
		{"64KiB/s", 65536},
		{"1.5MiB", 1572864},
		{"100Mbit/s", 12500000},
		{"100Mbit", 12500000},
		{"100Mbps", 12500000},
		{"2.5 Gbit/s", 312500000},
		{"1Gbit", 125000000},
		{"1Tbps", INT64_C(125000000000)},
		{"8kbit", 1000},
		{"8Kbit", 1000},
		{"8bit", 1},
		{"15bps", 1},
		{"0bit/s", 0},
	};

	(void)state;
	accept(relay_rate_parse, pairs, COUNT(pairs));
}

static void refuses_what_is_no_rate(void **state)
{
	static const char *const texts[] = {"", "fast", "/s", "10M/h", "10/",
		"10M/s/s", "10Mbps/s", "10Kibit", "10mbit", "10MBit", "10Mb",
		"10MBps", "1.5", "1.5/s", "10 MB /s", "0x10/s"};
	static const char *const small[] = {"1bit", "7bps", "0.001kbit"};
	static const char *const large[] = {"9223372036854775808",
		"9223372036854775808/s", "9223373T/s", "9223373Tbit"};
	static const char *const negative[] = {"-1M", "-1.5MB/s"};

	(void)state;
	refuse(relay_rate_parse, texts, COUNT(texts), "is no rate");
	refuse(relay_rate_parse, small, COUNT(small), "less than one byte");
	refuse(relay_rate_parse, large, COUNT(large), "too large");
	refuse(relay_rate_parse, negative, COUNT(negative), "is negative");
}

static void prints_sizes_for_people(void **state)
{
	static const struct pair pairs[] = {
		{"0 B", 0},
		{"900 B", 900},
		{"1023 B", 1023},
		{"1 KiB", 1024},
		{"64 KiB", 65536},
		{"1.5 GiB", INT64_C(1610612736)},
		{"1023.9 KiB", 1048474},
		{"1 MiB", 1048575},
		{"97.7 KiB", 100000},
		{"-64 KiB", -65536},
		{"8 EiB", INT64_MAX},
		{"-8 EiB", INT64_MIN},
	};

	(void)state;
	format(relay_size_format, pairs, COUNT(pairs));
}

static void prints_rates_for_people(void **state)
{
	static const struct pair pairs[] = {
		{"0 B/s", 0},
		{"999 B/s", 999},
		{"1 kB/s", 1000},
		{"10 MB/s", 10000000},
		{"12.5 MB/s", 12500000},
		{"1 MB/s", 999950},
		{"999.9 kB/s", 999949},
		{"9.2 EB/s", INT64_MAX},
	};

	(void)state;
	format(relay_rate_format, pairs, COUNT(pairs));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_durations),
		cmocka_unit_test(refuses_what_is_no_duration),
		cmocka_unit_test(refuses_too_long_durations),
		cmocka_unit_test(prints_durations_as_go_does),
		cmocka_unit_test(reads_integers_as_go_does),
		cmocka_unit_test(refuses_what_is_no_integer),
		cmocka_unit_test(reads_truth_values),
		cmocka_unit_test(reads_sizes),
		cmocka_unit_test(refuses_what_is_no_size),
		cmocka_unit_test(reads_rates),
		cmocka_unit_test(refuses_what_is_no_rate),
		cmocka_unit_test(prints_sizes_for_people),
		cmocka_unit_test(prints_rates_for_people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
