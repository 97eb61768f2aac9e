/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Fuzzes the files that control access: lists of devices and addresses, of
 * tokens, and the file with the relay's token.
 */

#include <strelaysrv/file.h>

#include "fuzz.h"
#include "relay/devices/join_token.h"
#include "named.h"
#include "rules.h"
#include "tokens.h"

static const uint8_t *file_data;
static size_t file_size;

/* Instead of a file that somebody may be writing. */
int relay_file_read_whole(const char *path, size_t most,
	struct relay_file *file, struct stat *seen, struct relay_err *err)
{
	(void)path;
	(void)err;
	FUZZ_CHECK(file_size <= most);
	*file = (struct relay_file){
		.text = fuzz_text(file_data, file_size), .size = file_size};
	memset(seen, 0, sizeof(*seen));
	return 0;
}

int relay_file_stat(const char *path, struct stat *st)
{
	(void)path;
	memset(st, 0, sizeof(*st));
	return 0;
}

void relay_file_look(const char *path)
{
	(void)path;
}

bool relay_file_same(const struct stat *a, const struct stat *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* The start of a file that ends anywhere must not have more than all of it:
 * half a list would admit others. */
static void try_rules(unsigned kinds)
{
	static const char *const entries[] = {"@list", NULL};
	static const uint8_t address[RANGE_BYTES] = {
		[10] = 0xff, [11] = 0xff, 192, 0, 2, 1};
	struct relay_err err = {.text = ""};
	struct rules rules;

	if (rules_read(&rules, "allow", entries, kinds, &err) == 0) {
		FUZZ_CHECK(!(kinds & RULES_NOT_NONE) || !rules_empty(&rules));
		for (size_t i = 0; i < rules.id_count; i++)
			FUZZ_CHECK(rules_match(&rules, rules.ids[i], address));
		for (size_t i = 0; i < rules.ranges.count; i++) {
			const struct range *range = &rules.ranges.list[i];

			FUZZ_CHECK(memcmp(range->first, range->last,
					   RANGE_BYTES) <= 0);
			FUZZ_CHECK(rules_match(&rules, NULL, range->first));
			FUZZ_CHECK(rules_match(&rules, NULL, range->last));
		}
		FUZZ_CHECK((kinds & RULES_IDS) || rules.id_count == 0);
		FUZZ_CHECK(
			(kinds & RULES_ADDRESSES) || rules.ranges.count == 0);
	} else {
		FUZZ_CHECK(strncmp(err.text, "allow: ", 7) == 0);
	}
	rules_free(&rules);
}

/* What is read has a name and bounds, whatever the file says. */
static void try_named(void)
{
	struct relay_err err = {.text = ""};
	struct named named;

	if (named_read(&named, "names", &err) == 0) {
		FUZZ_CHECK(named.required && named.count <= NAMED_MOST);
		for (size_t i = 0; i < named.count; i++) {
			const struct account *account = named.list[i];
			const struct account_terms *terms = &account->terms;

			FUZZ_CHECK(account->name[0] &&
				   strlen(account->name) < TOKEN_NAME_TEXT);
			FUZZ_CHECK(terms->rate >= 0 && terms->quota >= 0 &&
				   terms->weight >= 0 && terms->expires_s >= 0);
		}
	} else {
		FUZZ_CHECK(strncmp(err.text, "named-tokens: ", 14) == 0 ||
			   strcmp(err.text, "out of memory") == 0);
	}
	named_free(&named);
}

/* A token is a whole line. */
static void try_tokens(void)
{
	static const char *const none[] = {NULL};
	struct relay_err err = {.text = ""};
	struct tokens tokens;

	if (tokens_read(&tokens, none, "tokens", &err) == 0) {
		const uint8_t *end = memchr(file_data, '\n', file_size);
		size_t len = end ? (size_t)(end - file_data) : file_size;
		char *first = fuzz_text(file_data, len);

		FUZZ_CHECK(tokens.count > 0 && end);
		if (len && first[len - 1] == '\r')
			first[len - 1] = '\0';
		FUZZ_CHECK(tokens_have(&tokens, first) ==
				   (first[strspn(first, " \t")] &&
					   first[0] != '#') ||
			   tokens.count > 1);
		FUZZ_CHECK(!tokens_have(&tokens, ""));
		free(first);
	} else {
		FUZZ_CHECK(err.text[0]);
	}
	tokens_free(&tokens);
}

static void try_join_token(void)
{
	struct relay_err err = {.text = ""};
	struct join_token token;

	if (join_token_load(&token, "", "file", "", &err) == 0) {
		size_t len = strcspn((const char *)file_data, "\r\n");

		FUZZ_CHECK(token.set && memchr(file_data, '\n', file_size));
		FUZZ_CHECK(!join_token_matches(&token, file_data, 0));
		if (file_data[len] == '\n')
			FUZZ_CHECK(join_token_matches(&token, file_data, len));
	} else {
		FUZZ_CHECK(err.text[0]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size); /* ends, for strcspn() */

	file_data = (const uint8_t *)text;
	file_size = size;
	try_rules(RULES_IDS);
	try_rules(RULES_ADDRESSES);
	try_rules(RULES_IDS | RULES_ADDRESSES | RULES_NOT_NONE);
	try_named();
	try_tokens();
	try_join_token();
	free(text);
	return 0;
}
