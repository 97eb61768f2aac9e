/* SPDX-License-Identifier: MPL-2.0 */

/*
 * join_token.h - the token that devices need to join.
 *
 * Only its SHA-256 is stored: comparing hashes reveals nothing about the
 * length, and the memory does not contain the token.
 */
#ifndef JOIN_TOKEN_H
#define JOIN_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <strelaysrv/err.h>

struct join_token {
	bool set; /* false: any token is accepted */
	uint8_t digest[32];
};

/*
 * Reads the options: the token, or a file whose first line is the token.
 * `credential` is another such file, which needs no end of line, since it is
 * never half-written.  Only one of the three may be set; all "": no token.  0,
 * or -1 with err naming the file and the error.
 */
int join_token_load(struct join_token *secret, const char *token,
	const char *file, const char *credential, struct relay_err *err);
bool join_token_same(const struct join_token *a, const struct join_token *b);
/* Compares in constant time. */
bool join_token_matches(
	const struct join_token *secret, const uint8_t *token, size_t len);

#endif
