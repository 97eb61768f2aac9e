/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of option values: parsing, checks, storing, printing. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/address.h"
#include "config/config.h"
#include "config/options.h"

struct all {
	bool truth;
	int64_t count, size, rate, time, lease, word;
	const char *name;
	const char *secret;
	const char *const *items;
};

static const char *const words[] = {"red", "green", "blue", NULL};

enum { TRUTH, COUNT, SIZE, RATE, TIME, LEASE, WORD, NAME, SECRET, ITEMS };

static const struct relay_option table[] = {
	[TRUTH] = RELAY_OPT(
		struct all, truth, bool, "truth", RELAY_BOOL, "yes", 0, 0, ""),
	[COUNT] = RELAY_OPT(struct all, count, int64_t, "count", RELAY_INT, "5",
		1, 100, ""),
	[SIZE] = RELAY_OPT(struct all, size, int64_t, "size", RELAY_SIZE,
		"64KiB", 1024, 16777216, ""),
	[RATE] = RELAY_OPT(
		struct all, rate, int64_t, "rate", RELAY_RATE, "0", 0, 0, ""),
	[TIME] = RELAY_OPT(struct all, time, int64_t, "time", RELAY_DURATION,
		"2m", 0, -1, ""),
	[LEASE] = RELAY_OPT(struct all, lease, int64_t, "lease", RELAY_DURATION,
		"60m", 60000, 86400000, "", .flag_unit = "m"),
	[WORD] = RELAY_OPT(struct all, word, int64_t, "word", RELAY_CHOICE,
		"green", 0, 0, "", .choices = words),
	[NAME] = RELAY_OPT(struct all, name, const char *, "name", RELAY_STRING,
		"x", 1, 5, ""),
	[SECRET] = RELAY_OPT(struct all, secret, const char *, "secret",
		RELAY_STRING, "", 0, 0, "", .flags = RELAY_OPTION_SECRET),
	[ITEMS] = RELAY_OPT(struct all, items, const char *const *, "items",
		RELAY_LIST, "a,b", 1, 3, ""),
	RELAY_OPT_END,
};

static int setup(void **state)
{
	struct all *all = calloc(1, sizeof(*all));

	if (!all || options_defaults(table, all, NULL))
		return -1;
	*state = all;
	return 0;
}

static int teardown(void **state)
{
	options_clear(table, *state);
	free(*state);
	return 0;
}

/* The error text, or "" after success. */
static const char *parse_as(struct all *all, int option, const char *text,
	enum option_source source)
{
	static struct relay_err err;

	if (option_parse(&table[option], text, source, all, &err) == 0)
		return "";
	return err.text;
}

static const char *parse(struct all *all, int option, const char *text)
{
	return parse_as(all, option, text, OPTION_FROM_FILE);
}

static void assert_formatted(struct all *all, int option, const char *want)
{
	struct relay_value value;
	char *text;

	option_read(&table[option], all, &value);
	text = option_format(&value);
	assert_non_null(text);
	assert_string_equal(text, want);
	free(text);
}

static void sets_defaults(void **state)
{
	struct all *all = *state;

	assert_true(all->truth);
	assert_int_equal(all->count, 5);
	assert_int_equal(all->size, 65536);
	assert_int_equal(all->rate, 0);
	assert_int_equal(all->time, 120000);
	assert_int_equal(all->lease, 3600000);
	assert_int_equal(all->word, 1);
	assert_string_equal(all->name, "x");
	assert_string_equal(all->secret, "");
	assert_string_equal(all->items[1], "b");
	assert_null(all->items[2]);
}

static void finds_options_by_name(void **state)
{
	(void)state;
	assert_int_equal(options_count(table), 10);
	assert_int_equal(options_count(NULL), 0);
	assert_ptr_equal(options_find(table, "word"), &table[WORD]);
	assert_null(options_find(table, "wor"));
	assert_null(options_find(NULL, "word"));
}

static void reads_truth(void **state)
{
	struct all *all = *state;

	assert_string_equal(parse(all, TRUTH, "off"), "");
	assert_false(all->truth);
	assert_string_equal(parse(all, TRUTH, "1"), "");
	assert_true(all->truth);
	assert_non_null(strstr(parse(all, TRUTH, "maybe"), "\"maybe\""));
	assert_true(all->truth);
}

static void reads_numbers_in_range(void **state)
{
	struct all *all = *state;

	assert_string_equal(parse(all, COUNT, "0x10"), "");
	assert_int_equal(all->count, 16);
	assert_string_equal(parse(all, COUNT, "1_0"), "");
	assert_int_equal(all->count, 10);
	assert_string_equal(parse(all, COUNT, "100"), "");
	assert_string_equal(parse(all, COUNT, "101"),
		"101 is out of range; 1 to 100 is allowed");
	assert_string_equal(parse(all, COUNT, "0"),
		"0 is out of range; 1 to 100 is allowed");
	assert_non_null(strstr(parse(all, COUNT, ""), "no integer"));
	assert_int_equal(all->count, 100);
}

static void reads_sizes_and_rates(void **state)
{
	struct all *all = *state;

	assert_string_equal(parse(all, SIZE, "1MiB"), "");
	assert_int_equal(all->size, 1048576);
	assert_string_equal(parse(all, SIZE, "1GiB"),
		"1GiB is out of range; 1KiB to 16MiB is allowed");
	assert_string_equal(parse(all, SIZE, "1000"),
		"1000 is out of range; 1KiB to 16MiB is allowed");
	assert_string_equal(parse(all, RATE, "100Mbit/s"), "");
	assert_int_equal(all->rate, 12500000);
	assert_string_not_equal(parse(all, RATE, "fast"), "");
}

static void stores_durations_in_ms(void **state)
{
	struct all *all = *state;

	assert_string_equal(parse(all, TIME, "1h30m"), "");
	assert_int_equal(all->time, 5400000);
	assert_string_equal(parse(all, TIME, "1.5ms"), "");
	assert_int_equal(all->time, 1);
	assert_string_equal(parse(all, TIME, "0"), "");
	assert_int_equal(all->time, 0);
	assert_non_null(strstr(parse(all, TIME, "999us"), "less than 1ms"));
	assert_non_null(strstr(parse(all, TIME, "-1ns"), "less than 1ms"));
	assert_string_equal(parse(all, TIME, "-1s"),
		"-1s is too small; at least 0s is allowed");
	assert_non_null(strstr(parse(all, TIME, "5"), "unit"));
}

static void takes_bare_numbers_from_some_flags(void **state)
{
	struct all *all = *state;

	assert_string_equal(parse_as(all, LEASE, "90", OPTION_FROM_FLAG), "");
	assert_int_equal(all->lease, 5400000);
	assert_string_equal(parse_as(all, LEASE, "90s", OPTION_FROM_FLAG), "");
	assert_int_equal(all->lease, 90000);
	assert_string_equal(parse_as(all, LEASE, "0", OPTION_FROM_FLAG),
		"0s is out of range; 1m0s to 24h0m0s is allowed");
	assert_non_null(strstr(
		parse_as(all, LEASE, "9223372036854775807", OPTION_FROM_FLAG),
		"too long"));
	assert_non_null(
		strstr(parse_as(all, TIME, "90", OPTION_FROM_FLAG), "unit"));
	assert_non_null(strstr(parse(all, LEASE, "90"), "unit"));
}

static void reads_choices(void **state)
{
	struct all *all = *state;

	assert_string_equal(parse(all, WORD, "blue"), "");
	assert_int_equal(all->word, 2);
	assert_string_equal(parse(all, WORD, "gren"),
		"\"gren\" is none of red, green, blue; did you mean "
		"\"green\"?");
	assert_string_equal(parse(all, WORD, "Red!"),
		"\"Red!\" is none of red, green, blue");
}

static void counts_characters_of_strings(void **state)
{
	struct all *all = *state;

	/* five characters, ten bytes */
	assert_string_equal(
		parse(all, NAME, "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f\xc3\xa9"),
		"");
	assert_string_equal(parse(all, NAME, "abcdef"),
		"6 characters are too many; at most 5 are allowed");
	assert_string_equal(parse(all, NAME, "a\xff"), "it is not valid UTF-8");
	assert_string_equal(parse(all, NAME, "a\n"), "");
	assert_string_equal(parse(all, NAME, ""), "it must not be empty");
	assert_string_equal(parse(all, SECRET, ""), "");
}

static void splits_lists(void **state)
{
	struct all *all = *state;

	assert_string_equal(
		parse(all, ITEMS, "one,t\xffwo"), "it is not valid UTF-8");
	assert_string_equal(parse(all, ITEMS, " one ,two,,\tthree ,"), "");
	assert_string_equal(all->items[0], "one");
	assert_string_equal(all->items[1], "two");
	assert_string_equal(all->items[2], "three");
	assert_null(all->items[3]);
	assert_string_equal(parse(all, ITEMS, "a,b,c,d"),
		"4 items are too many; at most 3 are allowed");
	assert_string_equal(parse(all, ITEMS, " , "), "it must not be empty");
	assert_string_equal(all->items[2], "three");
}

static void takes_items(void **state)
{
	static const char *const items[] = {"a,b", " c"};
	struct all *all = *state;
	struct relay_err err;

	assert_int_equal(
		option_parse_items(&table[ITEMS], items, 2, all, &err), 0);
	assert_string_equal(all->items[0], "a,b");
	assert_string_equal(all->items[1], " c");
	assert_null(all->items[2]);
	assert_int_equal(
		option_parse_items(&table[ITEMS], NULL, 0, all, &err), -1);
}

static void prints_what_it_reads(void **state)
{
	struct all *all = *state;

	assert_formatted(all, TRUTH, "yes");
	assert_formatted(all, COUNT, "5");
	assert_formatted(all, SIZE, "64KiB");
	assert_formatted(all, RATE, "0");
	assert_formatted(all, TIME, "2m0s");
	assert_formatted(all, WORD, "green");
	assert_formatted(all, NAME, "x");
	assert_formatted(all, ITEMS, "a,b");
	assert_string_equal(parse(all, RATE, "1500000"), "");
	assert_formatted(all, RATE, "1500kB/s");
	assert_string_equal(parse(all, SIZE, "1025"), "");
	assert_formatted(all, SIZE, "1025");
}

static void keeps_secrets(void **state)
{
	struct all *all = *state;

	assert_formatted(all, SECRET, "");
	assert_string_equal(parse(all, SECRET, "xyzzy"), "");
	assert_formatted(all, SECRET, "(secret)");
}

static void tells_whether_a_value_asks_for_anything(void **state)
{
	static const struct {
		int option;
		const char *text;
		bool asks;
	} cases[] = {
		{TRUTH, "no", false},
		{TRUTH, "yes", true},
		{RATE, "0", false},
		{RATE, "-5", false},
		{RATE, "1", true},
		{TIME, "0s", false},
		{TIME, "1s", true},
		{SECRET, "", false},
		{SECRET, "x", true},
		{ITEMS, "a", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool asks = !cases[i].asks;

		assert_int_equal(
			option_check(&table[cases[i].option], cases[i].text,
				OPTION_FROM_FLAG, &asks, NULL),
			0);
		assert_int_equal(asks, cases[i].asks);
	}
}

static void refuses_a_table_with_a_wrong_default(void **state)
{
	static const struct relay_option wrong[] = {
		RELAY_OPT(struct all, name, const char *, "name", RELAY_STRING,
			"x", 0, 0, ""),
		RELAY_OPT(struct all, count, int64_t, "count", RELAY_INT, "x",
			0, 0, ""),
		RELAY_OPT_END,
	};
	struct all all = {0};
	struct relay_err err;

	(void)state;
	assert_int_equal(options_defaults(wrong, &all, &err), -1);
	assert_non_null(strstr(err.text, "default of option count"));
	assert_null(all.name);
}

static void has_a_good_core_table(void **state)
{
	struct core_conf core = {0};
	struct relay_err err = {""};

	(void)state;
	assert_int_equal(options_defaults(core_options, &core, &err), 0);
	assert_string_equal(core.listen[0], ":22067");
	assert_int_equal(core.protocol, CORE_TCP);
	assert_string_equal(core.status_srv, ":22070");
	assert_string_equal(core.modules[4], "pool-join");
	assert_string_equal(core.modules[6], "status");
	assert_int_equal(core.pipe_size, 1048576);
	options_clear(core_options, &core);
}

static void knows_the_words_of_a_list(void **state)
{
	static const char *const none[] = {NULL};
	static const char *const two[] = {"a", "bc", NULL};
	static const char *const turned[] = {"bc", "a", NULL};
	static const char *const three[] = {"a", "bc", "d", NULL};

	(void)state;
	assert_int_equal(option_list_count(none), 0);
	assert_int_equal(option_list_count(three), 3);
	assert_true(option_list_has(two, "a") && option_list_has(two, "bc"));
	assert_false(option_list_has(two, "b") || option_list_has(none, "a"));
	assert_true(option_list_same(none, none) && option_list_same(two, two));
	assert_false(option_list_same(two, turned));
	assert_false(option_list_same(two, three));
	assert_false(option_list_same(three, two));
	assert_false(option_list_same(none, two));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sets_defaults),
		TEST(finds_options_by_name),
		TEST(reads_truth),
		TEST(reads_numbers_in_range),
		TEST(reads_sizes_and_rates),
		TEST(stores_durations_in_ms),
		TEST(takes_bare_numbers_from_some_flags),
		TEST(reads_choices),
		TEST(counts_characters_of_strings),
		TEST(splits_lists),
		TEST(takes_items),
		TEST(prints_what_it_reads),
		TEST(keeps_secrets),
		TEST(tells_whether_a_value_asks_for_anything),
		cmocka_unit_test(refuses_a_table_with_a_wrong_default),
		cmocka_unit_test(has_a_good_core_table),
		cmocka_unit_test(knows_the_words_of_a_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
