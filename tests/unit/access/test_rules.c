/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of lists of devices and addresses, and of token files. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <cmocka.h>

#include "rules.h"
#include "tokens.h"

#define BOTH (RULES_IDS | RULES_ADDRESSES)

static char path[] = "/tmp/test_rules.XXXXXX";

static int make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

static void write_file(const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void address(const char *text, uint8_t out[RANGE_BYTES])
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	struct sockaddr_storage from = {0};

	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
		memcpy(&from, &v4, sizeof(v4));
	} else {
		assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
		memcpy(&from, &v6, sizeof(v6));
	}
	range_address(&from, out);
}

static bool has(const struct rules *rules, const char *text)
{
	uint8_t bytes[RANGE_BYTES];

	address(text, bytes);
	return rules_match(rules, NULL, bytes);
}

static void read_good(struct rules *rules, const char *const *entries)
{
	struct relay_err err = {""};

	if (rules_read(rules, "list", entries, BOTH, &err) != 0)
		fail_msg("%s", err.text);
}

static void ranges_of_both_families(void **state)
{
	static const char *const entries[] = {"192.0.2.0/24", "198.51.100.7",
		"2001:db8::/32", "10.0.0.0/9", "10.64.0.0/10", "::1",
		"203.0.113.200/31", NULL};
	struct rules rules;

	(void)state;
	read_good(&rules, entries);
	assert_true(has(&rules, "192.0.2.0"));
	assert_true(has(&rules, "192.0.2.255"));
	assert_false(has(&rules, "192.0.1.255"));
	assert_false(has(&rules, "192.0.3.0"));
	assert_true(has(&rules, "198.51.100.7"));
	assert_false(has(&rules, "198.51.100.8"));
	assert_true(has(&rules, "2001:db8:ffff::1"));
	assert_false(has(&rules, "2001:db9::"));
	assert_true(has(&rules, "10.127.255.255"));
	assert_false(has(&rules, "10.128.0.0"));
	assert_true(has(&rules, "203.0.113.201"));
	assert_false(has(&rules, "203.0.113.202"));
	assert_true(has(&rules, "::1"));
	assert_false(has(&rules, "::2"));
	/* Overlapping ranges were merged. */
	assert_int_equal(rules_count(&rules), 6);
	rules_free(&rules);
}

static void all_addresses(void **state)
{
	static const char *const v4[] = {"0.0.0.0/0", NULL};
	static const char *const v6[] = {"::/0", NULL};
	struct rules rules;

	(void)state;
	read_good(&rules, v4);
	assert_true(has(&rules, "255.255.255.255"));
	assert_false(has(&rules, "2001:db8::1"));
	rules_free(&rules);
	read_good(&rules, v6);
	assert_true(has(&rules, "2001:db8::1"));
	assert_true(has(&rules, "192.0.2.1"));
	rules_free(&rules);
}

static void devices_are_found(void **state)
{
	char text[3][RELAY_DEVICE_ID_TEXT];
	uint8_t id[3][RELAY_DEVICE_ID_LEN], nowhere[RANGE_BYTES] = {0};
	const char *const entries[] = {text[1], "192.0.2.1", text[0], NULL};
	struct rules rules;

	(void)state;
	for (int i = 0; i < 3; i++) {
		memset(id[i], 200 - i, sizeof(id[i]));
		relay_device_id_format(id[i], text[i]);
	}
	read_good(&rules, entries);
	assert_true(rules_match(&rules, id[0], nowhere));
	assert_true(rules_match(&rules, id[1], nowhere));
	assert_false(rules_match(&rules, id[2], nowhere));
	assert_false(rules_match(&rules, NULL, nowhere));
	rules_free(&rules);
}

static void files_have_one_a_line(void **state)
{
	char at[sizeof(path) + 1] = "@";
	const char *const entries[] = {at, "192.0.2.77", NULL};
	struct rules rules;

	(void)state;
	memcpy(at + 1, path, sizeof(path));
	write_file("# a comment\n\n  192.0.2.1  # ours\r\n\t2001:db8::/48\n"
		   "198.51.100.0/24\n");
	read_good(&rules, entries);
	assert_true(has(&rules, "192.0.2.1"));
	assert_true(has(&rules, "192.0.2.77"));
	assert_true(has(&rules, "2001:db8::5"));
	assert_true(has(&rules, "198.51.100.200"));
	assert_int_equal(rules_count(&rules), 4);
	rules_free(&rules);
}

static void refused(const char *entry, unsigned kinds, const char *why)
{
	const char *const entries[] = {entry, NULL};
	struct relay_err err = {""};
	struct rules rules;

	assert_int_equal(rules_read(&rules, "list", entries, kinds, &err), -1);
	if (!strstr(err.text, why) || strncmp(err.text, "list: ", 6) != 0)
		fail_msg("\"%s\" does not say \"%s\"", err.text, why);
	rules_free(&rules);
}

static void what_is_wrong_is_named(void **state)
{
	char at[sizeof(path) + 1] = "@", id[RELAY_DEVICE_ID_TEXT];
	uint8_t zero[RELAY_DEVICE_ID_LEN] = {0};

	(void)state;
	memcpy(at + 1, path, sizeof(path));
	relay_device_id_format(zero, id);
	refused("192.0.2.0/33", BOTH, "0 to 32");
	refused("2001:db8::/129", BOTH, "0 to 128");
	refused("192.0.2.0/", BOTH, "0 to 32");
	refused("192.0.2.0/-1", BOTH, "0 to 32");
	refused("192.0.2", BOTH, "\"192.0.2\" is no address");
	refused("example.org", BOTH, "is no address");
	refused(id, RULES_ADDRESSES, "addresses only");
	refused("192.0.2.1", RULES_IDS, "device ID");
	refused("@/nowhere/at/all", BOTH, "cannot open /nowhere/at/all");
	write_file("192.0.2.1\nnonsense\n");
	refused(at, BOTH, ":2: this is neither");
}

static void write_bytes(const char *text, size_t size)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static void half_a_file_is_refused(void **state)
{
	static const char zeroes[] = "192.0.2.1\n\0\0\0\0\n";
	char at[sizeof(path) + 1] = "@", id[RELAY_DEVICE_ID_TEXT];
	const char *const entries[] = {at, NULL};
	uint8_t zero[RELAY_DEVICE_ID_LEN] = {0};
	struct rules rules;

	(void)state;
	memcpy(at + 1, path, sizeof(path));
	relay_device_id_format(zero, id);
	write_file("");
	refused(at, BOTH, "is empty");
	/* The writer may have meant 192.0.2.17, and 10.0.0.0/24. */
	write_file("192.0.2.1");
	refused(at, BOTH, ":1: the last line has no end");
	write_file("# members\n10.0.0.0/2");
	refused(at, BOTH, ":2: the last line has no end");
	write_file("192.0.2.1\n# and now com");
	refused(at, BOTH, ":2: the last line has no end");
	write_bytes(zeroes, sizeof(zeroes) - 1);
	refused(at, BOTH, "is not whole");
	write_file("192.0.2.1\r192.0.2.2\n");
	refused(at, BOTH, "is no address");
	/* The check characters show that the ID is complete. */
	write_bytes(id, strlen(id));
	read_good(&rules, entries);
	assert_int_equal(rules_count(&rules), 1);
	rules_free(&rules);
	write_bytes(id, strlen(id) - 1);
	refused(at, BOTH, ":1: the last line has no end");
	refused("@/dev/null", BOTH, "is no regular file");
}

static void who_is_let_in_is_never_nobody(void **state)
{
	char at[sizeof(path) + 1] = "@";
	const char *const entries[] = {at, NULL};
	struct rules rules;

	(void)state;
	memcpy(at + 1, path, sizeof(path));
	write_file("# nobody yet\n\n");
	refused(at, BOTH | RULES_NOT_NONE, "there is no entry in");
	refused(at, BOTH, "there is no entry in");
	write_file("# entries: 0\n");
	refused(at, BOTH | RULES_NOT_NONE, "there is no entry in");
	read_good(&rules, entries);
	assert_true(rules_empty(&rules));
	rules_free(&rules);
}

static void entries_are_counted(void **state)
{
	char at[sizeof(path) + 1] = "@";
	const char *const entries[] = {at, NULL};
	struct rules rules;

	(void)state;
	memcpy(at + 1, path, sizeof(path));
	/* Overlapping ranges and repeated lines are entries, too. */
	write_file("#\tentries:3 \n10.0.0.0/8 # a net\n10.0.0.1\n10.0.0.1\n");
	read_good(&rules, entries);
	assert_int_equal(rules.entries, 3);
	assert_false(rules.uncounted);
	rules_free(&rules);
	write_file("# entries: 3\n10.0.0.1\n10.0.0.2\n");
	refused(at, BOTH, "has 2 entries, but announces 3");
	write_file("# entries: 1\n# entries: 1\n10.0.0.1\n");
	refused(at, BOTH, ":2: the number of entries is in two lines");
	write_file("# entries: one\n10.0.0.1\n");
	refused(at, BOTH, ":1: write the number of entries");
	write_file("# no entries: 7\n10.0.0.1\n");
	read_good(&rules, entries);
	assert_true(rules.uncounted);
	rules_free(&rules);
}

static void tokens_are_told_apart(void **state)
{
	static const char *const list[] = {"one", "two words", NULL};
	struct relay_err err = {""};
	struct tokens tokens;

	(void)state;
	write_file("# comment\nthree\r\n\nfour\n");
	assert_int_equal(tokens_read(&tokens, list, path, &err), 0);
	assert_true(tokens_have(&tokens, "one"));
	assert_true(tokens_have(&tokens, "two words"));
	assert_true(tokens_have(&tokens, "three"));
	assert_true(tokens_have(&tokens, "four"));
	assert_false(tokens_have(&tokens, "five"));
	assert_false(tokens_have(&tokens, ""));
	assert_false(tokens_have(&tokens, "# comment"));
	tokens_free(&tokens);
}

static void a_file_without_a_token_is_an_error(void **state)
{
	static const char *const none[] = {NULL};
	struct relay_err err = {""};
	struct tokens tokens;

	(void)state;
	write_file("half a tok");
	assert_int_equal(tokens_read(&tokens, none, path, &err), -1);
	assert_non_null(strstr(err.text, ":1: the last line has no end"));
	tokens_free(&tokens);
	write_file("# only a comment\n\n");
	assert_int_equal(tokens_read(&tokens, none, path, &err), -1);
	assert_non_null(strstr(err.text, "there is no token in"));
	tokens_free(&tokens);
	assert_int_equal(
		tokens_read(&tokens, none, "/nowhere/at/all", &err), -1);
	assert_non_null(strstr(err.text, "cannot open"));
	tokens_free(&tokens);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_of_both_families),
		cmocka_unit_test(all_addresses),
		cmocka_unit_test(devices_are_found),
		cmocka_unit_test(files_have_one_a_line),
		cmocka_unit_test(what_is_wrong_is_named),
		cmocka_unit_test(half_a_file_is_refused),
		cmocka_unit_test(who_is_let_in_is_never_nobody),
		cmocka_unit_test(entries_are_counted),
		cmocka_unit_test(tokens_are_told_apart),
		cmocka_unit_test(a_file_without_a_token_is_an_error),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
