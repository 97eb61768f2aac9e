/* SPDX-License-Identifier: MPL-2.0 */

/* Named tokens, read from a file. */

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <strelaysrv/units.h>

#include "shared/guard_file.h"
#include "named.h"
#include "tokens.h"

#define OPTION      "named-tokens"
#define WEIGHT_MOST 1000
/* 8 Tbit/s, as rate-limit has it. */
#define RATE_MOST INT64_C(1000000000000)

/* False: it is no SHA-256 in hexadecimal digits. */
static bool read_digest(const char *text, uint8_t digest[32])
{
	if (strlen(text) != 64)
		return false;
	for (int i = 0; i < 32; i++) {
		int high = OPENSSL_hexchar2int((unsigned char)text[2 * i]);
		int low = OPENSSL_hexchar2int((unsigned char)text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		digest[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static int read_token(
	struct account_terms *terms, const char *text, struct relay_err *err)
{
	size_t len = strlen(text);

	if (len == 0)
		return relay_fail(err, "there is no token after the name");
	if (len > TOKEN_MOST)
		return relay_fail(err,
			"the token is longer than %d bytes, which no client "
			"can send",
			TOKEN_MOST);
	if (read_digest(text, terms->digest) ||
		SHA256((const unsigned char *)text, len, terms->digest))
		return 0;
	return relay_fail(err, "cannot hash a token");
}

/* 2027-01-31, or 2027-01-31T18:00Z. */
static int read_time(const char *text, int64_t *s, struct relay_err *err)
{
	struct tm tm = {0};
	const char *end = strptime(text, "%Y-%m-%d", &tm);
	time_t t;

	if (end && *end)
		end = strptime(end, "T%H:%MZ", &tm);
	t = end && !*end ? timegm(&tm) : 0;
	if (t <= 0)
		return relay_fail(err,
			"expires is a day such as 2027-01-31, or a time such "
			"as 2027-01-31T18:00Z");
	*s = t;
	return 0;
}

static int read_weight(const char *text, int64_t *weight, struct relay_err *err)
{
	if (relay_int_parse(text, weight, NULL) == 0 && *weight >= 1 &&
		*weight <= WEIGHT_MOST)
		return 0;
	return relay_fail(err, "weight is a number from 1 to %d", WEIGHT_MOST);
}

static int read_rate(const char *text, int64_t *rate, struct relay_err *err)
{
	if (relay_rate_parse(text, rate, NULL) == 0 && *rate >= 1 &&
		*rate <= RATE_MOST)
		return 0;
	return relay_fail(err, "rate is bytes per second, such as 10MB/s");
}

static int read_quota(const char *text, int64_t *quota, struct relay_err *err)
{
	if (relay_size_parse(text, quota, NULL) == 0 && *quota >= 1 &&
		*quota <= INT64_MAX / 4)
		return 0;
	return relay_fail(err, "quota is the bytes of a month, such as 100GB");
}

/* What is wrong is not printed: it may be a part of the token. */
static int read_term(
	struct account_terms *terms, const char *word, struct relay_err *err)
{
	if (strncmp(word, "rate=", 5) == 0)
		return read_rate(word + 5, &terms->rate, err);
	if (strncmp(word, "weight=", 7) == 0)
		return read_weight(word + 7, &terms->weight, err);
	if (strncmp(word, "quota=", 6) == 0)
		return read_quota(word + 6, &terms->quota, err);
	if (strncmp(word, "expires=", 8) == 0)
		return read_time(word + 8, &terms->expires_s, err);
	return relay_fail(err,
		"only rate=, weight=, quota= and expires= may follow a token");
}

static void note_oddity(
	struct named_oddities *odd, enum named_oddity which, const char *name)
{
	if (odd->count[which]++ == 0)
		memcpy(odd->first[which], name, TOKEN_NAME_TEXT);
}

static void note_oddities(struct named_oddities *odd,
	const struct account *account, bool is_short)
{
	if (account_expired(&account->terms))
		note_oddity(odd, NAMED_EXPIRED, account->name);
	if (account->terms.rate && account->terms.rate < NAMED_RATE_LEAST)
		note_oddity(odd, NAMED_SLOW, account->name);
	if (is_short)
		note_oddity(odd, NAMED_SHORT, account->name);
}

static int read_line(struct account *account, struct named_oddities *odd,
	char *line, struct relay_err *err)
{
	bool is_short;
	size_t len = strcspn(line, ":");
	char *more, *word;

	line[strcspn(line, "\r")] = '\0';
	if (!line[len] || !token_name_is_valid(line, len))
		return relay_fail(err,
			"a line is NAME:TOKEN; a name has up to %d letters, "
			"digits, and any of -_.",
			TOKEN_NAME_TEXT - 1);
	memcpy(account->name, line, len);
	word = strtok_r(line + len + 1, " \t", &more);
	if (read_token(&account->terms, word ? word : "", err) != 0)
		return -1;
	is_short = strlen(word) < NAMED_TOKEN_LEAST;
	while ((word = strtok_r(NULL, " \t", &more)) != NULL)
		if (read_term(&account->terms, word, err) != 0)
			return -1;
	note_oddities(odd, account, is_short);
	return 0;
}

static int check_unique(const struct named *named,
	const struct account *account, struct relay_err *err)
{
	for (size_t i = 0; i < named->count; i++) {
		const struct account *other = named->list[i];

		if (strcmp(other->name, account->name) == 0)
			return relay_fail(err, "the name %s is in two lines",
				account->name);
		if (memcmp(other->terms.digest, account->terms.digest, 32) == 0)
			return relay_fail(err, "%s and %s have the same token",
				other->name, account->name);
	}
	return named->count < NAMED_MOST
		       ? 0
		       : relay_fail(err, "there are more than %d names",
				 NAMED_MOST);
}

static int add(struct named *named, char *line, struct relay_err *err)
{
	struct account *account;

	if (named->count == named->room) {
		size_t room = named->room ? 2 * named->room : 8;
		void *list = realloc(named->list, room * sizeof(*named->list));

		if (!list)
			return relay_fail(err, "out of memory");
		named->list = list;
		named->room = room;
	}
	account = calloc(1, sizeof(*account));
	if (!account)
		return relay_fail(err, "out of memory");
	if (read_line(account, &named->odd, line, err) == 0 &&
		check_unique(named, account, err) == 0) {
		named->list[named->count++] = account;
		return 0;
	}
	free(account);
	return -1;
}

static int add_line(struct named *named, struct guard_file *file, char *line,
	bool ended, struct relay_err *err)
{
	if (guard_file_announce(file, line, err) != 0)
		return -1;
	if (!ended)
		return relay_fail(err, GUARD_FILE_NO_END);
	line += strspn(line, " \t");
	return !*line || *line == '#' ? 0 : add(named, line, err);
}

int named_read(struct named *named, const char *path, struct relay_err *err)
{
	struct guard_file file;
	struct relay_err why;
	char *line;
	bool ended;
	int result;

	*named = (struct named){0};
	if (!path[0])
		return 0;
	named->required = true;
	result = guard_file_read(&file, path, &why);
	if (result != 0)
		relay_fail(err, OPTION ": %.220s", why.text);
	while (result == 0 && (line = guard_file_line(&file, &ended)) != NULL)
		if (add_line(named, &file, line, ended, &why) != 0)
			result = relay_fail(err, OPTION ": %.80s:%u: %.140s",
				path, file.line, why.text);
	if (result == 0)
		result = watch_note(&named->watch, path, &file, err);
	if (result == 0 &&
		guard_file_check(&file, path, named->count, &why) != 0)
		result = relay_fail(err, OPTION ": %.220s", why.text);
	guard_file_free(&file);
	return result;
}

void named_free(struct named *named)
{
	for (size_t i = 0; i < named->count; i++)
		free(named->list[i]);
	free(named->list);
	watch_free(&named->watch);
	*named = (struct named){0};
}
