/* SPDX-License-Identifier: MPL-2.0 */

/*
 * secret.h - the token that joins must bring.
 *
 * Only its SHA-256 is kept: comparing that tells nothing about lengths, and a
 * look into memory finds no token.
 */
#ifndef SECRET_H
#define SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <strelaysrv/err.h>

struct secret {
	bool set; /* false: every token fits */
	uint8_t digest[32];
};

/*
 * From the options: the token itself, or a file whose first line it is; both
 * "": none.  0, or -1 with err naming the file and what is wrong.
 */
int secret_load(struct secret *secret, const char *token, const char *file,
	struct relay_err *err);
bool secret_same(const struct secret *a, const struct secret *b);
/* In constant time. */
bool secret_fits(const struct secret *secret, const uint8_t *token, size_t len);

#endif
