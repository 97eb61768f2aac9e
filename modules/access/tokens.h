/* SPDX-License-Identifier: MPL-2.0 */

/*
 * tokens.h - words of which a join must bring one.
 *
 * Only their SHA-256 is kept, and all of them are compared, so that time tells
 * nothing about them.
 */
#ifndef TOKENS_H
#define TOKENS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <strelaysrv/err.h>

struct tokens {
	uint8_t (*digests)[32]; /* owned */
	size_t count, room;
};

/* From the list, and from a file with one a line ("": none).  A file without a
 * token is an error.  0, or -1 with err; either way tokens_free(). */
int tokens_read(struct tokens *tokens, const char *const *list,
	const char *file, struct relay_err *err);
void tokens_free(struct tokens *tokens);

bool tokens_have(const struct tokens *tokens, const char *token);

#endif
