/* SPDX-License-Identifier: MPL-2.0 */

/* The token that joins must bring. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include "frame.h"
#include "secret.h"

static int keep(struct secret *secret, const char *token, size_t len,
	const char *from, struct relay_err *err)
{
	if (len > FRAME_TOKEN_MAX)
		return relay_fail(err,
			"the token of %s has %zu bytes; no client can send "
			"more than %d",
			from, len, FRAME_TOKEN_MAX);
	secret->set = len > 0;
	/* The first hash sets much of OpenSSL up; most relays have no token. */
	if (secret->set &&
		!SHA256((const unsigned char *)token, len, secret->digest))
		return relay_fail(err, "cannot hash the token");
	return 0;
}

/* The first line, without its end. */
static int read_line(
	const char *path, char *line, size_t cap, struct relay_err *err)
{
	FILE *file = fopen(path, "re");
	int result = 0;

	if (!file)
		return relay_fail(err, "token-file: cannot open %s: %s", path,
			strerror(errno));
	if (!fgets(line, (int)cap, file)) {
		if (ferror(file))
			result = relay_fail(err,
				"token-file: cannot read %s: %s", path,
				strerror(errno));
		line[0] = '\0';
	}
	fclose(file);
	line[strcspn(line, "\r\n")] = '\0';
	/* An empty file must not open the relay to everybody. */
	if (result == 0 && !line[0])
		result = relay_fail(err,
			"token-file: the first line of %s is empty; write the "
			"token there, or leave the option out",
			path);
	return result;
}

int secret_load(struct secret *secret, const char *token, const char *file,
	struct relay_err *err)
{
	char line[FRAME_TOKEN_MAX + 3];
	int result;

	memset(secret, 0, sizeof(*secret));
	if (token[0] && file[0])
		return relay_fail(err,
			"both token and token-file are set; leave one out");
	if (!file[0])
		return keep(
			secret, token, strlen(token), "the option token", err);
	result = read_line(file, line, sizeof(line), err);
	if (result == 0)
		result = keep(secret, line, strlen(line), file, err);
	OPENSSL_cleanse(line, sizeof(line));
	return result;
}

bool secret_same(const struct secret *a, const struct secret *b)
{
	return a->set == b->set && (!a->set || memcmp(a->digest, b->digest,
						       sizeof(a->digest)) == 0);
}

bool secret_fits(const struct secret *secret, const uint8_t *token, size_t len)
{
	uint8_t digest[sizeof(secret->digest)];

	if (!secret->set)
		return true;
	if (!SHA256(token, len, digest))
		return false;
	return CRYPTO_memcmp(digest, secret->digest, sizeof(digest)) == 0;
}
