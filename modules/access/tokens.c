/* SPDX-License-Identifier: MPL-2.0 */

/* Words of which a join must bring one. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include "tokens.h"

/* What fits a join request of the relay protocol. */
#define TOKEN_MOST 1020

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

static int read_lines(struct tokens *tokens, FILE *file, const char *path,
	char *line, size_t cap, struct relay_err *err)
{
	unsigned number = 0;

	while (fgets(line, (int)cap, file)) {
		size_t len = strcspn(line, "\r\n");

		number++;
		line[len] = '\0';
		if (len > TOKEN_MOST)
			return relay_fail(err,
				"token-file: line %u of %.150s is longer than "
				"%d bytes, which no client can send",
				number, path, TOKEN_MOST);
		if (len && line[0] != '#' && add(tokens, line, err) != 0)
			return -1;
	}
	if (ferror(file))
		return relay_fail(err, "token-file: cannot read %.150s: %s",
			path, strerror(errno));
	return 0;
}

static int add_file(
	struct tokens *tokens, const char *path, struct relay_err *err)
{
	size_t before = tokens->count;
	char line[TOKEN_MOST + 3];
	FILE *file = fopen(path, "re");
	int result;

	if (!file)
		return relay_fail(err, "token-file: cannot open %.150s: %s",
			path, strerror(errno));
	result = read_lines(tokens, file, path, line, sizeof(line), err);
	OPENSSL_cleanse(line, sizeof(line));
	fclose(file);
	/* An empty file must not open the relay to everybody. */
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
		if (!list[i][0] || strlen(list[i]) > TOKEN_MOST)
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
