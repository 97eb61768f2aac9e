/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of log records: packed, unpacked, and as a line of text. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include <strelaysrv/thread.h>

#include "log/log_record.h"

/* 2026-11-22 15:40:03.123456 UTC */
#define WHEN_US INT64_C(1795362003123456)

int64_t relay_wall_us(void)
{
	return WHEN_US;
}

static const struct relay_field none = {NULL, NULL};

static void check_line(
	const char *text, const struct relay_field *fields, const char *want)
{
	const struct relay_log_record record = {
		.time_us = WHEN_US,
		.level = RELAY_NOTICE,
		.component = "relay",
		.text = text,
		.fields = fields,
	};
	char line[LOG_LINE_MAX];
	size_t len = relay_log_text(&record, line, sizeof(line));

	assert_string_equal(line, want);
	assert_int_equal(len, strlen(want));
}

static void check_escape(const char *text, const char *want)
{
	char out[256];

	assert_int_equal(
		relay_log_escape(text, out, sizeof(out)), strlen(want));
	assert_string_equal(out, want);
}

static void line_has_time_level_component_and_fields(void **state)
{
	const struct relay_field fields[] = {
		{"key", "value"},
		{"key2", "with space"},
		{NULL, NULL},
	};

	(void)state;
	check_line("text", fields,
		"2026-11-22 15:40:03.123 notice relay: text key=value "
		"key2=\"with space\"");
}

static void values_are_quoted_where_a_reader_would_stumble(void **state)
{
	const struct relay_field fields[] = {
		{"a", ""},
		{"b", "x=y"},
		{"c", "say \"no\""},
		{"d", "back\\slash"},
		{"e", "h\xc3\xa9"},
		{"f", NULL},
		{NULL, NULL},
	};

	(void)state;
	check_line("t", fields,
		"2026-11-22 15:40:03.123 notice relay: t a=\"\" b=\"x=y\" "
		"c=\"say \\\"no\\\"\" d=\"back\\\\slash\" e=\"h\xc3\xa9\" "
		"f=\"\"");
}

static void nothing_ends_the_line_or_moves_the_cursor(void **state)
{
	const struct relay_field fields[] = {
		{"bad key\n", "a\nb"},
		{NULL, NULL},
	};

	(void)state;
	check_line("one\ntwo\r\x1b[31m", fields,
		"2026-11-22 15:40:03.123 notice relay: "
		"one\\x0atwo\\x0d\\x1b[31m"
		" bad_key_=\"a\\x0ab\"");
	check_escape("\x7f\t", "\\x7f\\x09");
	check_escape("\xc2\x9b"
		     "31m",
		"\\xc2\\x9b31m");                        /* C1 control */
	check_escape("\xe2\x80\xa8", "\\xe2\\x80\\xa8"); /* line separator */
	check_escape("\xe2\x80\xae", "\\xe2\\x80\\xae"); /* right-to-left */
}

static void utf8_stays_and_what_is_none_is_escaped(void **state)
{
	(void)state;
	check_escape("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
		"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80");
	check_escape("\xff\xfe", "\\xff\\xfe");
	check_escape("\xc3", "\\xc3"); /* cut off */
	check_escape("\xe2\x82", "\\xe2\\x82");
	check_escape("\xc0\xaf", "\\xc0\\xaf"); /* overlong */
	check_escape("\xe0\x80\xaf", "\\xe0\\x80\\xaf");
	check_escape("\xed\xa0\x80", "\\xed\\xa0\\x80"); /* surrogate */
	check_escape("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80");
	check_escape("\x80", "\\x80");
}

static void a_small_buffer_gets_whole_pieces(void **state)
{
	char out[5];

	(void)state;
	assert_int_equal(relay_log_escape("abcdefgh", out, sizeof(out)), 4);
	assert_string_equal(out, "abcd");
	assert_int_equal(relay_log_escape("a\nb", out, sizeof(out)), 1);
	assert_string_equal(out, "a");
	assert_int_equal(relay_log_escape("abc\xc3\xa9", out, sizeof(out)), 3);
	assert_int_equal(relay_log_escape("abc", out, 1), 0);
	assert_string_equal(out, "");
}

static void make(struct log_record *record, const struct relay_field *fields,
	const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void make(struct log_record *record, const struct relay_field *fields,
	const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_record_make(record, "status", RELAY_INFO, fields, fmt, ap);
	va_end(ap);
}

static void a_record_comes_out_as_it_went_in(void **state)
{
	const struct relay_field fields[] = {
		{"a", "1"},
		{"b", ""},
		{NULL, NULL},
	};
	struct log_record record;
	struct log_view view;

	(void)state;
	make(&record, fields, "%d of %s", 7, "nine");
	log_record_view(&record, &view);
	assert_int_equal(view.pub.time_us, WHEN_US);
	assert_int_equal(view.pub.level, RELAY_INFO);
	assert_string_equal(view.pub.component, "status");
	assert_string_equal(view.pub.text, "7 of nine");
	assert_string_equal(view.pub.fields[0].key, "a");
	assert_string_equal(view.pub.fields[0].value, "1");
	assert_string_equal(view.pub.fields[1].value, "");
	assert_null(view.pub.fields[2].key);
	make(&record, NULL, "no fields");
	log_record_view(&record, &view);
	assert_null(view.pub.fields[0].key);
}

static void long_texts_and_fields_are_cut_between_characters(void **state)
{
	char big[3000];
	const struct relay_field fields[] = {
		{"first", big},
		{"second", "lost"},
		{NULL, NULL},
	};
	struct log_record record;
	struct log_view view;

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	memcpy(big + LOG_TEXT_MAX - 1, "\xc3\xa9", 2);
	make(&record, fields, "%s", big);
	log_record_view(&record, &view);
	assert_int_equal(strlen(view.pub.text), LOG_TEXT_MAX - 1);
	assert_true(strlen(view.pub.fields[0].value) > 900);
	assert_true(record.len <= sizeof(record.data));
	assert_null(view.pub.fields[1].key);
	assert_string_equal(relay_level_word(RELAY_WARNING), "warning");
	(void)none;
}

static void many_fields_are_bounded(void **state)
{
	struct relay_field fields[LOG_FIELD_COUNT * 2 + 1];
	struct log_record record;
	struct log_view view;
	size_t n = 0;

	(void)state;
	for (; n < LOG_FIELD_COUNT * 2; n++)
		fields[n] = (struct relay_field){"k", "v"};
	fields[n] = none;
	make(&record, fields, "x");
	log_record_view(&record, &view);
	for (n = 0; view.pub.fields[n].key; n++)
		assert_string_equal(view.pub.fields[n].value, "v");
	assert_int_equal(n, LOG_FIELD_COUNT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(line_has_time_level_component_and_fields),
		cmocka_unit_test(
			values_are_quoted_where_a_reader_would_stumble),
		cmocka_unit_test(nothing_ends_the_line_or_moves_the_cursor),
		cmocka_unit_test(utf8_stays_and_what_is_none_is_escaped),
		cmocka_unit_test(a_small_buffer_gets_whole_pieces),
		cmocka_unit_test(a_record_comes_out_as_it_went_in),
		cmocka_unit_test(
			long_texts_and_fields_are_cut_between_characters),
		cmocka_unit_test(many_fields_are_bounded),
	};

	if (setenv("TZ", "UTC", 1))
		return 1;
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
