/* SPDX-License-Identifier: MPL-2.0 */

/* The token that devices need to join. */

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include "shared/guard_file.h"
#include "relay/messages/frame.h"
#include "relay/devices/join_token.h"

static int keep(struct join_token *secret, const char *token, size_t len,
	const char *from, struct relay_err *err)
{
	if (len > FRAME_TOKEN_MAX)
		return relay_fail(err,
			"the token of %s has %zu bytes; no client can send "
			"more than %d",
			from, len, FRAME_TOKEN_MAX);
	secret->set = len > 0;
	/*
	 * Skip this without a token: the first hash initializes much of
	 * OpenSSL.
	 */
	if (secret->set &&
		!SHA256((const unsigned char *)token, len, secret->digest))
		return relay_fail(err, "cannot hash the token");
	return 0;
}

/* The first line of a file.  `whole`: the file is never half-written. */
static int keep_line(struct join_token *secret, const char *path, bool whole,
	struct relay_err *err)
{
	struct guard_file file;
	struct relay_err why;
	bool ended = true;
	int result = guard_file_read(&file, path, &why);
	const char *line = result == 0 ? guard_file_line(&file, &ended) : NULL;

	if (result != 0)
		relay_fail(err, "token-file: %.220s", why.text);
	/* An empty token would admit everybody; one of blanks is easy to
	 * guess, and nobody writes it on purpose. */
	else if (!line || !line[strspn(line, " \t")])
		result = relay_fail(err,
			"token-file: the first line of %.150s is empty; write "
			"the token there, or leave the option out",
			path);
	/* A partly written token would be easier to guess. */
	else if (!ended && !whole)
		result = relay_fail(err,
			"token-file: the line in %.120s has no end, so it may "
			"be half-written; end it by a line feed, write to a "
			"new file and rename it",
			path);
	else
		result = keep(secret, line, strlen(line), path, err);
	guard_file_free(&file);
	return result;
}

int join_token_load(struct join_token *secret, const char *token,
	const char *file, const char *credential, struct relay_err *err)
{
	memset(secret, 0, sizeof(*secret));
	if (credential[0] && strcmp(file, credential) == 0)
		file = "";
	if (credential[0] && (token[0] || file[0]))
		return relay_fail(err,
			"%s is set, but systemd passes a token as a "
			"credential, "
			"too; leave one out",
			token[0] ? "token" : "token-file");
	if (credential[0])
		return keep_line(secret, credential, true, err);
	if (token[0] && file[0])
		return relay_fail(err,
			"both token and token-file are set; leave one out");
	if (file[0])
		return keep_line(secret, file, false, err);
	return keep(secret, token, strlen(token), "the option token", err);
}

bool join_token_same(const struct join_token *a, const struct join_token *b)
{
	return a->set == b->set && (!a->set || memcmp(a->digest, b->digest,
						       sizeof(a->digest)) == 0);
}

bool join_token_matches(
	const struct join_token *secret, const uint8_t *token, size_t len)
{
	uint8_t digest[sizeof(secret->digest)];

	if (!secret->set)
		return true;
	if (!SHA256(token, len, digest))
		return false;
	return CRYPTO_memcmp(digest, secret->digest, sizeof(digest)) == 0;
}
