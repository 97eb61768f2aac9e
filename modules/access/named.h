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

struct named {
	struct account **list; /* owned; NULL: accounts_take() has taken it */
	size_t count, room;
	bool required; /* there is a file, which may have no names */
	struct watch watch;
};

/* Reads the file ("": none).  0, or -1 with err; call named_free() in both
 * cases. */
int named_read(struct named *named, const char *path, struct relay_err *err);
void named_free(struct named *named);

#endif
