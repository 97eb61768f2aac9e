/* SPDX-License-Identifier: MPL-2.0 */

/* Makes a token. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <openssl/sha.h>

#include "shared/token_name.h"
#include "make_token.h"
#include "tool.h"

#define BITS_BYTES 20 /* 160 bits: nobody guesses that */

static void to_hex(const uint8_t *bytes, size_t count, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < count; i++) {
		*out++ = digits[bytes[i] >> 4];
		*out++ = digits[bytes[i] & 15];
	}
	*out = '\0';
}

int make_token(const char *name)
{
	uint8_t bits[BITS_BYTES], digest[SHA256_DIGEST_LENGTH];
	char token[2 * sizeof(bits) + 1], hash[2 * sizeof(digest) + 1];

	if (!token_name_is_valid(name, strlen(name))) {
		tool_say("a name has up to %d letters, digits, and any of -_.",
			TOKEN_NAME_TEXT - 1);
		return EXIT_USAGE;
	}
	if (getrandom(bits, sizeof(bits), 0) != (ssize_t)sizeof(bits)) {
		tool_say("no random numbers");
		return EXIT_FAILED;
	}
	to_hex(bits, sizeof(bits), token);
	if (!SHA256((const unsigned char *)token, strlen(token), digest)) {
		tool_say("cannot hash the token");
		return EXIT_FAILED;
	}
	to_hex(digest, sizeof(digest), hash);
	return printf("%s\n%s:%s\n", token, name, hash) > 0 &&
			       fflush(stdout) == 0
		       ? EXIT_SUCCESS
		       : EXIT_FAILED;
}
