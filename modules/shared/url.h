/* SPDX-License-Identifier: MPL-2.0 */

/* url.h - parses the URL of a web service. */
#ifndef URL_H
#define URL_H

#include <stdbool.h>
#include <stddef.h>

#include <strelaysrv/err.h>

/* Size for a host name with port. */
#define URL_PLACE 264

struct url {
	bool plain;            /* http: neither encrypted nor authenticated */
	bool secret;           /* it contains a user, password or query */
	char place[URL_PLACE]; /* "HOST" or "HOST:PORT", printable */
};

/* 0, or -1 with err. out may be NULL. */
int url_parse(const char *text, struct url *out, struct relay_err *err);

#endif
