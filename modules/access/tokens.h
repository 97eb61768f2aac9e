/* SPDX-License-Identifier: MPL-2.0 */

/*
 * tokens.h - tokens, one of which a join must have.
 *
 * Only their SHA-256 is stored, and all are compared, so that timing reveals
 * nothing.
 */
#ifndef TOKENS_H
#define TOKENS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <strelaysrv/err.h>

#include "watch.h"

/* The most that fits into a join request of the relay protocol. */
#define TOKEN_MOST 1020

struct tokens {
	uint8_t (*digests)[32]; /* owned */
	size_t count, room;
	struct watch watch;
};

/*
 * Reads the list, and a file with one token per line ("": none).  A file
 * without a token is an error.  0, or -1 with err; call tokens_free() in both
 * cases.
 */
int tokens_read(struct tokens *tokens, const char *const *list,
	const char *file, struct relay_err *err);
void tokens_free(struct tokens *tokens);

bool tokens_have(const struct tokens *tokens, const char *token);

#endif
