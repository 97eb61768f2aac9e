/* SPDX-License-Identifier: MPL-2.0 */

/*
 * url.h - what the URL of a pool says.
 */
#ifndef URL_H
#define URL_H

#include <stdbool.h>
#include <stddef.h>

#include <strelaysrv/err.h>

/* Room for the name of a host, and its port. */
#define URL_PLACE 264

struct url {
	bool plain;  /* http: nothing is encrypted, and nobody is proven */
	bool secret; /* it has a user or a password in it */
	char place[URL_PLACE]; /* "HOST" or "HOST:PORT", printable */
};

/* 0, or -1 with err saying what is wrong with it.  out may be NULL. */
int url_parse(const char *text, struct url *out, struct relay_err *err);

#endif
