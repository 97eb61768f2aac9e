/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of shared tables: rows, and their way to the registry and back. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "cluster/tables/tables.h"

#define NOW_S 1000000

static struct tables tables;
static int64_t now_ms;
static char said[4096];
static int answer; /* of the registry */

static void say(const char *what, unsigned table, uint64_t number)
{
	size_t len = strlen(said);

	(void)snprintf(said + len, sizeof(said) - len, "%s%u/%llu ", what,
		table, (unsigned long long)number);
}

static int read_rows(void *arg, unsigned table, uint64_t since)
{
	(void)arg;
	say("read", table, since);
	return answer;
}

static int store(void *arg, unsigned table, const struct relay_shared_row *row)
{
	(void)arg;
	say("store", table, row->rank);
	return answer;
}

static int drop(void *arg, unsigned table, const struct relay_shared_row *row)
{
	(void)arg;
	say("drop", table, row->rank);
	return answer;
}

static const struct tables_calls calls = {read_rows, store, drop};

static int setup(void **state)
{
	(void)state;
	now_ms = 5000;
	answer = 0;
	said[0] = '\0';
	tables_init(&tables, &calls, NULL, 1000);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tables_finish(&tables);
	return 0;
}

static void expect(const char *want)
{
	assert_string_equal(said, want);
	said[0] = '\0';
}

static void tick(int64_t ms)
{
	now_ms += ms;
	tables_tick(&tables, now_ms, NOW_S + now_ms / 1000);
}

static struct relay_shared_row row_of(
	unsigned key, uint64_t rank, const char *value)
{
	struct relay_shared_row row = {.rank = rank};

	row.key[0] = (uint8_t)key;
	row.key[1] = (uint8_t)(key >> 8);
	row.len = (uint8_t)strlen(value);
	memcpy(row.value, value, row.len);
	return row;
}

static struct table *bans(void)
{
	return tables_get(&tables, "bans");
}

static void put(unsigned key, uint64_t rank, const char *value)
{
	struct relay_shared_row row = row_of(key, rank, value);

	assert_int_equal(table_put(bans(), &row), 0);
}

static void came(unsigned key, uint64_t rank, const char *value)
{
	struct relay_shared_row row = row_of(key, rank, value);

	assert_int_equal(tables_came(&tables, 0, &row), 0);
}

static void stored(unsigned key, uint64_t rank, const char *value)
{
	struct relay_shared_row row = row_of(key, rank, value);

	assert_int_equal(tables_stored(&tables, 0, row.key, &row), 0);
}

static void over(uint64_t next, uint64_t last, bool more)
{
	const struct tables_page page = {true, more, next, last};

	tables_over(&tables, 0, &page, now_ms);
}

static void add(void *arg, const struct relay_shared_row *row)
{
	char *text = arg;
	size_t len = strlen(text);

	(void)snprintf(text + len, 200 - len, "%u/%llu=%.*s ", row->key[0],
		(unsigned long long)row->rank, (int)row->len,
		(const char *)row->value);
}

static void holds(const char *want)
{
	char text[200] = "";

	(void)table_changes(bans(), 0, NOW_S, add, text);
	assert_string_equal(text, want);
}

/* The registry is there, and has nothing. */
static void begin(void)
{
	assert_non_null(bans());
	tables_back(&tables, now_ms);
	tick(0);
	expect("read0/0 ");
	over(0, 0, false);
}

static void a_name_is_of_letters(void **state)
{
	(void)state;
	assert_null(tables_get(&tables, ""));
	assert_null(tables_get(&tables, "a:b"));
	assert_null(tables_get(&tables, "abcdefghijklmnop"));
	for (int i = 0; i < RELAY_SHARED_MOST; i++) {
		const char name[] = {(char)('a' + i), '\0'};

		assert_non_null(tables_get(&tables, name));
	}
	assert_null(tables_get(&tables, "abcdefghijklmno"));
	assert_non_null(tables_get(&tables, "a"));
}

static void what_is_put_is_stored_after_all_was_read(void **state)
{
	(void)state;
	put(1, 0, "one");
	tick(0);
	expect("");
	tables_back(&tables, now_ms);
	tick(0);
	expect("read0/0 ");
	tick(0);
	expect("");
	came(2, 7, "two");
	over(5, 9, true);
	tick(0);
	expect("read0/5 ");
	over(9, 9, false);
	tick(0);
	expect("store0/1 ");
	tick(TABLES_READ_MS);
	expect("read0/9 ");
	assert_int_equal(tables_unstored(&tables), 1);
	stored(1, 1, "one");
	assert_int_equal(tables_unstored(&tables), 0);
	assert_int_equal(tables_rows(&tables), 2);
	over(10, 10, false);
	tick(1);
	expect("");
	holds("1/1=one 2/7=two ");
}

static void the_highest_rank_wins(void **state)
{
	(void)state;
	begin();
	put(1, 5, "five");
	put(1, 4, "four");
	put(1, 5, "other");
	holds("1/5=five ");
	came(1, 4, "older");
	holds("1/5=five ");
	/* With equal ranks it is the registry's. */
	came(1, 5, "theirs");
	holds("1/5=theirs ");
	came(1, 6, "newer");
	put(1, 0, "mine");
	holds("1/7=mine ");
	put(2, UINT64_MAX, "most");
	put(2, 0, "more");
	holds("1/7=mine 2/18446744073709551615=more ");
}

/* Who decides while the registry is away does not know what is there. */
static void a_decision_is_raised_above_what_was_not_known(void **state)
{
	(void)state;
	put(1, 0, "ban");
	put(2, 1, "from a file");
	begin();
	tick(0);
	expect("store0/1 store0/1 ");
	stored(1, 8, "old");
	stored(2, 8, "old");
	holds("1/9=ban 2/8=old ");
	tick(0);
	expect("store0/9 ");
	stored(1, 9, "ban");
	tick(0);
	expect("");
	/* Once it is stored, others decide anew. */
	came(1, 9, "other");
	holds("1/9=other 2/8=old ");
}

static void a_change_on_its_way_is_sent_again(void **state)
{
	(void)state;
	begin();
	put(1, 1, "one");
	tick(0);
	expect("store0/1 ");
	put(1, 2, "two");
	tick(0);
	expect("");
	stored(1, 1, "one");
	tick(0);
	expect("store0/2 ");
	assert_int_equal(
		tables_stored(&tables, 0, row_of(1, 0, "").key, NULL), 0);
	tick(0);
	expect("store0/2 ");
	answer = -1;
	tables_away(&tables);
	tables_back(&tables, now_ms);
	tick(0);
	expect("read0/0 ");
	answer = 0;
	tick(0);
	expect("");
	tick(TABLES_READ_MS);
	expect("read0/0 ");
}

/* All is read when it is back, and every few minutes; what is missing there is
 * stored again. */
static void an_empty_registry_is_filled_again(void **state)
{
	(void)state;
	begin();
	put(1, 1, "one");
	came(2, 3, "two");
	tick(0);
	expect("store0/1 ");
	stored(1, 1, "one");
	over(0, 0, false);
	tables_away(&tables);
	tick(60000);
	expect("");
	tables_back(&tables, now_ms);
	tick(0);
	expect("read0/0 ");
	came(1, 1, "one");
	over(1, 1, false);
	tick(0);
	expect("store0/3 ");
	stored(2, 3, "two");
	tick(TABLES_WHOLE_MS);
	expect("read0/0 ");
	over(0, 0, false);
	tick(0);
	assert_int_equal(strlen(said), strlen("store0/1 store0/3 "));
}

/* Its numbers are lower: it has forgotten changes. */
static void old_data_are_read_from_the_beginning(void **state)
{
	(void)state;
	begin();
	tick(TABLES_READ_MS);
	expect("read0/0 ");
	over(50, 50, false);
	tick(TABLES_READ_MS);
	expect("read0/50 ");
	over(50, 20, false);
	tick(TABLES_READ_MS);
	expect("read0/0 ");
}

static void pages_have_an_end(void **state)
{
	unsigned pages = 0;

	(void)state;
	begin();
	tick(TABLES_READ_MS);
	said[0] = '\0';
	do {
		over(++pages, 1000000, true);
		tick(0);
	} while (strcmp(said, "") != 0 && (said[0] = '\0', pages < 1000));
	assert_int_equal(pages, TABLES_PAGES);
}

/* Without memory for a row, or to look at it. */
static void what_was_missed_is_read_again(void **state)
{
	(void)state;
	begin();
	tick(TABLES_READ_MS);
	expect("read0/0 ");
	tables_missed(&tables, 1);
	tables_missed(&tables, 0);
	over(8, 8, false);
	tick(0);
	expect("");
	tick(TABLES_READ_MS);
	expect("read0/0 ");
	over(8, 8, false);
	tick(TABLES_READ_MS);
	expect("read0/8 ");
}

static void what_has_ended_is_dropped(void **state)
{
	struct relay_shared_row row = row_of(1, 4, "one");
	char text[200] = "";

	(void)state;
	begin();
	row.until_s = NOW_S + 100;
	assert_int_equal(table_put(bans(), &row), 0);
	tick(0);
	expect("store0/4 ");
	assert_int_equal(tables_stored(&tables, 0, row.key, &row), 0);
	(void)table_changes(bans(), 0, NOW_S + 100, add, text);
	assert_string_equal(text, "");
	said[0] = '\0';
	tick(200000);
	expect("drop0/4 read0/0 ");
	assert_int_equal(tables_rows(&tables), 0);
	assert_int_equal(tables_unstored(&tables), 0);
}

static void changes_are_visited_once(void **state)
{
	char text[200] = "";
	uint64_t since;

	(void)state;
	put(1, 0, "one");
	since = table_changes(bans(), 0, NOW_S, add, text);
	assert_string_equal(text, "1/1=one ");
	assert_true(since > 1000);
	put(2, 0, "two");
	text[0] = '\0';
	since = table_changes(bans(), since, NOW_S, add, text);
	assert_string_equal(text, "2/1=two ");
	text[0] = '\0';
	assert_true(table_changes(bans(), since, NOW_S, add, text) == since);
	assert_string_equal(text, "");
	/* A number of another life of the provider. */
	(void)table_changes(bans(), since + 1, NOW_S, add, text);
	assert_string_equal(text, "1/1=one 2/1=two ");
}

static void a_table_has_an_end(void **state)
{
	struct relay_shared_row row;

	(void)state;
	for (unsigned i = 0; i < RELAY_SHARED_ROWS; i++)
		put(i, 1, "x");
	row = row_of(RELAY_SHARED_ROWS, 1, "x");
	assert_int_equal(table_put(bans(), &row), -1);
	assert_int_equal(tables_came(&tables, 0, &row), -1);
	put(7, 2, "y");
	row.len = RELAY_SHARED_VALUE + 1;
	row.key[0] = 7;
	assert_int_equal(table_put(bans(), &row), -1);
	begin();
	tick(0);
	assert_int_equal(tables.of[0].sent, TABLES_SENT);
}

/* Of a table that there is not. */
static void other_numbers_are_ignored(void **state)
{
	struct relay_shared_row row = row_of(1, 1, "x");
	const struct tables_page page = {.answered = true};

	(void)state;
	begin();
	assert_int_equal(tables_came(&tables, 1, &row), 0);
	assert_int_equal(tables_stored(&tables, 1, row.key, &row), 0);
	tables_over(&tables, 1, &page, now_ms);
	assert_int_equal(tables_rows(&tables), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_name_is_of_letters),
		TEST(what_is_put_is_stored_after_all_was_read),
		TEST(the_highest_rank_wins),
		TEST(a_decision_is_raised_above_what_was_not_known),
		TEST(a_change_on_its_way_is_sent_again),
		TEST(an_empty_registry_is_filled_again),
		TEST(old_data_are_read_from_the_beginning),
		TEST(pages_have_an_end),
		TEST(what_was_missed_is_read_again),
		TEST(what_has_ended_is_dropped),
		TEST(changes_are_visited_once),
		TEST(a_table_has_an_end),
		TEST(other_numbers_are_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
