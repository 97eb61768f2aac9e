/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of JSON in Go's format. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <event2/buffer.h>

#include "print.h"

static void check(cJSON *tree, const char *want)
{
	struct evbuffer *out = evbuffer_new();

	assert_non_null(tree);
	assert_non_null(out);
	assert_int_equal(print_json(tree, out), 0);
	assert_int_equal(evbuffer_add(out, "", 1), 0);
	assert_string_equal((const char *)evbuffer_pullup(out, -1), want);
	evbuffer_free(out);
	cJSON_Delete(tree);
}

static void keys_are_sorted_and_indented_by_four(void **state)
{
	cJSON *tree = cJSON_CreateObject(), *list;

	(void)state;
	cJSON_AddStringToObject(tree, "b", "x");
	list = cJSON_AddArrayToObject(tree, "a");
	cJSON_AddItemToArray(list, cJSON_CreateRaw("1"));
	cJSON_AddItemToArray(list, cJSON_CreateRaw("2"));
	cJSON_AddRawToObject(cJSON_AddObjectToObject(tree, "C"), "n", "0");
	check(tree, "{\n    \"C\": {\n        \"n\": 0\n    },\n    \"a\": [\n"
		    "        1,\n        2\n    ],\n    \"b\": \"x\"\n}");
}

static void empty_ones_stay_on_one_line(void **state)
{
	cJSON *tree = cJSON_CreateObject();

	(void)state;
	cJSON_AddArrayToObject(tree, "a");
	cJSON_AddObjectToObject(tree, "o");
	check(tree, "{\n    \"a\": [],\n    \"o\": {}\n}");
}

static void integers_are_exact_and_strings_escaped(void **state)
{
	cJSON *tree = cJSON_CreateObject();

	(void)state;
	cJSON_AddRawToObject(tree, "n", "9223372036854775807");
	cJSON_AddStringToObject(tree, "s", "a\"b\\c\n\x01gr\xc3\xbc");
	check(tree, "{\n    \"n\": 9223372036854775807,\n"
		    "    \"s\": \"a\\\"b\\\\c\\n\\u0001gr\xc3\xbc\"\n}");
}

static void truths_are_words(void **state)
{
	cJSON *tree = cJSON_CreateObject();

	(void)state;
	cJSON_AddBoolToObject(tree, "no", 0);
	cJSON_AddBoolToObject(tree, "yes", 1);
	check(tree, "{\n    \"no\": false,\n    \"yes\": true\n}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_sorted_and_indented_by_four),
		cmocka_unit_test(empty_ones_stay_on_one_line),
		cmocka_unit_test(integers_are_exact_and_strings_escaped),
		cmocka_unit_test(truths_are_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
