/* SPDX-License-Identifier: MPL-2.0 */

/*
 * named.h - named tokens, read from a file of lines
 * NAME:TOKEN [rate=R] [weight=W] [quota=BYTES] [expires=DATE].
 *
 * TOKEN is the token itself, or its SHA-256 as 64 hexadecimal digits.
 */
#ifndef NAMED_H
#define NAMED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <strelaysrv/err.h>

#include "account.h"
#include "watch.h"

/* Every exporter has some numbers of each name, and all modules together may
 * have 4,096. */
#define NAMED_MOST 1000

/* A rate below this is no link, but a number without its unit. */
#define NAMED_RATE_LEAST 1000
/* A token with fewer characters can be guessed. */
#define NAMED_TOKEN_LEAST 16

/* What is allowed, but hardly meant: how many lines, and the first one's name.
 */
enum named_oddity { NAMED_EXPIRED, NAMED_SLOW, NAMED_SHORT, NAMED_ODDITIES };
struct named_oddities {
	size_t count[NAMED_ODDITIES];
	char first[NAMED_ODDITIES][TOKEN_NAME_TEXT];
};

struct named {
	struct account **list; /* owned; NULL: accounts_take() has taken it */
	size_t count, room;
	bool required; /* there is a file, which may have no names */
	struct named_oddities odd;
	struct watch watch;
};

/* Reads the file ("": none).  0, or -1 with err; call named_free() in both
 * cases. */
int named_read(struct named *named, const char *path, struct relay_err *err);
void named_free(struct named *named);

#endif
