/* SPDX-License-Identifier: MPL-2.0 */

/* Tokens, one of which a join must have. */

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include "shared/guard_file.h"
#include "tokens.h"

static int add(struct tokens *tokens, const char *token, struct relay_err *err)
{
	if (tokens->count == tokens->room) {
		size_t room = tokens->room ? 2 * tokens->room : 4;
		void *digests = realloc(
			tokens->digests, room * sizeof(*tokens->digests));

		if (!digests)
			return relay_fail(err, "out of memory");
		tokens->digests = digests;
		tokens->room = room;
	}
	if (!SHA256((const unsigned char *)token, strlen(token),
		    tokens->digests[tokens->count]))
		return relay_fail(err, "cannot hash a token");
	tokens->count++;
	return 0;
}

/* Nothing but spaces and tabs: nobody writes such a token on purpose. */
static bool is_blank(const char *text)
{
	return !text[strspn(text, " \t")];
}

static int add_line(struct tokens *tokens, struct guard_file *file,
	const char *line, bool ended, struct relay_err *err)
{
	if (guard_file_announce(file, line, err) != 0)
		return -1;
	/* A partly written token would be easier to guess. */
	if (!ended)
		return relay_fail(err, GUARD_FILE_NO_END);
	if (strlen(line) > TOKEN_MOST)
		return relay_fail(err,
			"it is longer than %d bytes, which no client can send",
			TOKEN_MOST);
	return is_blank(line) || *line == '#' ? 0 : add(tokens, line, err);
}

static int add_file(
	struct tokens *tokens, const char *path, struct relay_err *err)
{
	size_t before = tokens->count;
	struct guard_file file;
	struct relay_err why;
	int result = guard_file_read(&file, path, &why);
	bool ended;
	char *line;

	if (result != 0)
		relay_fail(err, "token-file: %.220s", why.text);
	while (result == 0 && (line = guard_file_line(&file, &ended)) != NULL)
		if (add_line(tokens, &file, line, ended, &why) != 0)
			result = relay_fail(err, "token-file: %.80s:%u: %.140s",
				path, file.line, why.text);
	if (result == 0)
		result = watch_note(&tokens->watch, path, &file, err);
	if (result == 0 && file.counts > 0 &&
		guard_file_check(&file, path, tokens->count - before, &why) !=
			0)
		result = relay_fail(err, "token-file: %.220s", why.text);
	guard_file_free(&file);
	/* An empty file would admit everybody. */
	if (result == 0 && tokens->count == before)
		result = relay_fail(err,
			"token-file: there is no token in %.150s; write one a "
			"line, or leave the option out",
			path);
	return result;
}

int tokens_read(struct tokens *tokens, const char *const *list,
	const char *file, struct relay_err *err)
{
	*tokens = (struct tokens){0};
	for (size_t i = 0; list[i]; i++) {
		if (is_blank(list[i]) || strlen(list[i]) > TOKEN_MOST)
			return relay_fail(err,
				"tokens: number %zu is empty or longer than %d "
				"bytes",
				i + 1, TOKEN_MOST);
		if (add(tokens, list[i], err) != 0)
			return -1;
	}
	return file[0] ? add_file(tokens, file, err) : 0;
}

void tokens_free(struct tokens *tokens)
{
	free(tokens->digests);
	watch_free(&tokens->watch);
	*tokens = (struct tokens){0};
}

bool tokens_have(const struct tokens *tokens, const char *token)
{
	uint8_t digest[sizeof(tokens->digests[0])];
	int found = 0;

	if (!SHA256((const unsigned char *)token, strlen(token), digest))
		return false;
	for (size_t i = 0; i < tokens->count; i++)
		found |= CRYPTO_memcmp(digest, tokens->digests[i],
				 sizeof(digest)) == 0;
	return found;
}
