/* SPDX-License-Identifier: MPL-2.0 */

/*
 * other_uri.h - reads the relay:// URI of another relay, as Syncthing's clients
 * do.
 */
#ifndef OTHER_URI_H
#define OTHER_URI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <strelaysrv/err.h>

#define OTHER_URI_MOST  1024 /* bytes of a URI */
#define OTHER_URI_HOST  254  /* of a DNS name */
#define OTHER_URI_PLACE 264

struct other_uri {
	char host[OTHER_URI_HOST]; /* IPv6 without brackets */
	char port[6];
	char place[OTHER_URI_PLACE]; /* "HOST:PORT", as messages show it */
	bool has_id;
	uint8_t id[32];
};

/*
 * relay://HOST:PORT/?QUERY; the client knows no default port.  It refuses one
 * with a token, which is a secret, and what clients may read in another way.
 * Pure.  0, or -1 with err, which has no part of the query.
 */
int other_uri_parse(
	const char *text, struct other_uri *out, struct relay_err *err);

#endif
