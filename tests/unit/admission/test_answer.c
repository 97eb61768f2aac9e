/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of what admission reads in the answers of an endpoint. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <strelaysrv/device_id.h>

#include "answer.h"

#define HOUR_MS 3600000
#define DAY_MS  (24 * HOUR_MS)

static const uint8_t device[32] = {1, 2, 3};

static enum answer_fault read_text(
	enum dialect dialect, long status, const char *text, struct answer *out)
{
	return answer_read(dialect, status, text, strlen(text), device, out);
}

static void all_fields(void **state)
{
	struct answer answer;

	(void)state;
	assert_int_equal(read_text(DIALECT_OWN, 200,
				 " {\"allow\": true, \"reason\": \"paid\", "
				 "\"rate\": \"8Mbit/s\", \"weight\": 3, "
				 "\"quota\": \"2GB\", \"cache-for\": \"1h\", "
				 "\"other\": [{\"allow\": false}]} \n",
				 &answer),
		ANSWER_GOOD);
	assert_true(answer.allow);
	assert_string_equal(answer.reason, "paid");
	assert_int_equal(answer.rate, 1000000);
	assert_int_equal(answer.weight, 3);
	assert_int_equal(answer.quota, 2000000000);
	assert_int_equal(answer.keep_ms, HOUR_MS);
	assert_true(answer_has_terms(&answer));
}

static void defaults(void **state)
{
	struct answer answer;

	(void)state;
	assert_int_equal(read_text(DIALECT_OWN, 200,
				 "{\"allow\":false,\"rate\":null}", &answer),
		ANSWER_GOOD);
	assert_false(answer.allow);
	assert_string_equal(answer.reason, "");
	assert_int_equal(answer.keep_ms, -1);
	assert_false(answer_has_terms(&answer));
}

static void numbers_have_bounds(void **state)
{
	static const struct {
		const char *text;
		enum answer_fault fault;
		int64_t keep_ms;
	} rows[] = {
		{"\"cache-for\":0", ANSWER_GOOD, 0},
		{"\"cache-for\":1.9", ANSWER_GOOD, 1900},
		/* Only 0 is 0. */
		{"\"cache-for\":0.0001", ANSWER_GOOD, 1},
		{"\"cache-for\":\"1us\"", ANSWER_GOOD, 1},
		{"\"cache-for\":\"250ms\"", ANSWER_GOOD, 250},
		{"\"cache-for\":1e15", ANSWER_GOOD, INT64_C(7) * DAY_MS},
		{"\"cache-for\":\"2000h\"", ANSWER_GOOD, INT64_C(7) * DAY_MS},
		{"\"cache-for\":-1", ANSWER_UNREADABLE, 0},
		{"\"cache-for\":\"-1s\"", ANSWER_UNREADABLE, 0},
		{"\"cache-for\":\"soon\"", ANSWER_UNREADABLE, 0},
		{"\"cache-for\":true", ANSWER_UNREADABLE, 0},
		{"\"rate\":1e15", ANSWER_GOOD, -1},
		{"\"rate\":1e16", ANSWER_UNREADABLE, 0},
		{"\"rate\":1e999", ANSWER_UNREADABLE, 0},
		{"\"rate\":-1", ANSWER_UNREADABLE, 0},
		{"\"rate\":\"fast\"", ANSWER_UNREADABLE, 0},
		{"\"rate\":0", ANSWER_UNREADABLE, 0},
		{"\"rate\":0.9", ANSWER_UNREADABLE, 0},
		{"\"rate\":\"0\"", ANSWER_UNREADABLE, 0},
		{"\"quota\":{}", ANSWER_UNREADABLE, 0},
		{"\"quota\":0", ANSWER_UNREADABLE, 0},
		{"\"quota\":\"0B\"", ANSWER_UNREADABLE, 0},
		{"\"quota\":1", ANSWER_GOOD, -1},
		{"\"weight\":1", ANSWER_GOOD, -1},
		{"\"weight\":1000", ANSWER_GOOD, -1},
		{"\"weight\":0", ANSWER_UNREADABLE, 0},
		{"\"weight\":1001", ANSWER_UNREADABLE, 0},
		{"\"weight\":\"3\"", ANSWER_UNREADABLE, 0},
		{"\"reason\":7", ANSWER_UNREADABLE, 0},
	};
	struct answer answer;
	char text[128];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)snprintf(text, sizeof(text), "{\"allow\":true,%s}",
			rows[i].text);
		if (read_text(DIALECT_OWN, 200, text, &answer) != rows[i].fault)
			fail_msg("%s", text);
		if (rows[i].fault == ANSWER_GOOD &&
			answer.keep_ms != rows[i].keep_ms)
			fail_msg("%s", text);
	}
}

static void what_is_no_answer(void **state)
{
	static const char *const texts[] = {"", "true", "[]", "{", "{}",
		"{\"allow\":tr", "{\"allow\":true", "{\"allow\":true}x",
		"{\"allow\":true}{}", "{\"allow\":\"true\"}", "{\"allow\":1}",
		"{\"allow\":null}", "{\"Allow\":true}",
		"{\"allow\":true,\"allow\":true}",
		"{\"allow\":true,\"rate\":1,\"rate\":2}",
		"{\"allow\":true,\"a\":\"\\u0000\"}",
		"{\"allow\":true,\"a\":[[[[[[[[]]]]]]]]}"};
	struct answer answer;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (read_text(DIALECT_OWN, 200, texts[i], &answer) !=
			ANSWER_UNREADABLE)
			fail_msg("%s", texts[i]);
	/* Brackets in a text are no levels, and a byte 0 ends nothing. */
	assert_int_equal(
		read_text(DIALECT_OWN, 200,
			"{\"allow\":true,\"reason\":\"\\\"[[[[[[[[[[[\"}",
			&answer),
		ANSWER_GOOD);
	assert_string_equal(answer.reason, "\"[[[[[[[[[[[");
	assert_int_equal(answer_read(DIALECT_OWN, 200, "{\"allow\":true}\0x",
				 16, device, &answer),
		ANSWER_UNREADABLE);
}

static void a_long_reason_is_cut(void **state)
{
	char text[2 * ANSWER_REASON + 32], *at = text;
	struct answer answer;

	(void)state;
	at += snprintf(at, 32, "{\"allow\":true,\"reason\":\"");
	memset(at, 'x', 2 * ANSWER_REASON);
	memcpy(at + 2 * ANSWER_REASON - 4, "\"}", 3);
	assert_int_equal(
		read_text(DIALECT_OWN, 200, text, &answer), ANSWER_GOOD);
	assert_int_equal(strlen(answer.reason), ANSWER_REASON - 1);
}

static void another_device(void **state)
{
	uint8_t other[32] = {1, 2, 4};
	char id[RELAY_DEVICE_ID_TEXT], text[128];
	struct answer answer;

	(void)state;
	relay_device_id_format(device, id);
	(void)snprintf(
		text, sizeof(text), "{\"device\":\"%s\",\"allow\":true}", id);
	assert_int_equal(
		read_text(DIALECT_OWN, 200, text, &answer), ANSWER_GOOD);
	relay_device_id_format(other, id);
	(void)snprintf(
		text, sizeof(text), "{\"device\":\"%s\",\"allow\":true}", id);
	assert_int_equal(read_text(DIALECT_OWN, 200, text, &answer),
		ANSWER_OTHER_DEVICE);
	assert_int_equal(read_text(DIALECT_OWN, 200,
				 "{\"device\":7,\"allow\":true}", &answer),
		ANSWER_OTHER_DEVICE);
}

static void statuses(void **state)
{
	static const struct {
		long status;
		enum answer_fault own, derper, iroh;
		bool trouble;
	} rows[] = {
		{0, ANSWER_STATUS, ANSWER_STATUS, ANSWER_STATUS, false},
		{100, ANSWER_STATUS, ANSWER_STATUS, ANSWER_STATUS, false},
		{201, ANSWER_STATUS, ANSWER_GOOD, ANSWER_GOOD, false},
		{301, ANSWER_REDIRECT, ANSWER_REDIRECT, ANSWER_REDIRECT, false},
		{399, ANSWER_REDIRECT, ANSWER_REDIRECT, ANSWER_REDIRECT, false},
		{400, ANSWER_REJECTED, ANSWER_GOOD, ANSWER_GOOD, false},
		/* A denial, whatever the body says. */
		{403, ANSWER_GOOD, ANSWER_GOOD, ANSWER_GOOD, false},
		{429, ANSWER_STATUS, ANSWER_GOOD, ANSWER_GOOD, true},
		{499, ANSWER_REJECTED, ANSWER_GOOD, ANSWER_GOOD, false},
		{500, ANSWER_STATUS, ANSWER_GOOD, ANSWER_STATUS, true},
		{599, ANSWER_STATUS, ANSWER_GOOD, ANSWER_STATUS, true},
	};
	struct answer answer;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(read_text(DIALECT_OWN, rows[i].status,
					 "{\"allow\":true}", &answer),
			rows[i].own);
		assert_false(answer.allow);
		assert_int_equal(read_text(DIALECT_DERPER, rows[i].status,
					 "{\"Allow\":true}", &answer),
			rows[i].derper);
		assert_false(answer.allow);
		assert_int_equal(answer.trouble, rows[i].trouble);
		assert_int_equal(read_text(DIALECT_IROH, rows[i].status, "true",
					 &answer),
			rows[i].iroh);
		assert_false(answer.allow);
	}
}

static void iroh_wants_one_word(void **state)
{
	static const char *const others[] = {
		"", "false", "true\n", " true", "TRUE", "truex", "{}"};
	struct answer answer;

	(void)state;
	assert_int_equal(
		read_text(DIALECT_IROH, 200, "true", &answer), ANSWER_GOOD);
	assert_true(answer.allow);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		assert_int_equal(
			read_text(DIALECT_IROH, 200, others[i], &answer),
			ANSWER_GOOD);
		assert_false(answer.allow);
	}
}

static void derper_reads_as_go_does(void **state)
{
	static const struct {
		const char *text;
		enum answer_fault fault;
		bool allow;
	} rows[] = {
		{"{\"Allow\":true}", ANSWER_GOOD, true},
		{"{\"allow\":true,\"rate\":\"what\"}", ANSWER_GOOD, true},
		{"{\"Allow\":false}", ANSWER_GOOD, false},
		{"{}", ANSWER_GOOD, false},
		{"{\"Allow\":1}", ANSWER_UNREADABLE, false},
		{"{\"Allow\":false,\"allow\":true}", ANSWER_UNREADABLE, false},
		{"true", ANSWER_UNREADABLE, false},
	};
	struct answer answer;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (read_text(DIALECT_DERPER, 200, rows[i].text, &answer) !=
			rows[i].fault)
			fail_msg("%s", rows[i].text);
		if (rows[i].fault == ANSWER_GOOD)
			assert_int_equal(answer.allow, rows[i].allow);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_fields),
		cmocka_unit_test(defaults),
		cmocka_unit_test(numbers_have_bounds),
		cmocka_unit_test(what_is_no_answer),
		cmocka_unit_test(a_long_reason_is_cut),
		cmocka_unit_test(another_device),
		cmocka_unit_test(statuses),
		cmocka_unit_test(iroh_wants_one_word),
		cmocka_unit_test(derper_reads_as_go_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
