/* SPDX-License-Identifier: MPL-2.0 */

/*
 * client_uri.h - reads the URIs of relays and pools.
 *
 * The counterpart of modules/relay/uri.h, which writes them.  Pure: any thread,
 * no allocation, bounded work, resolves no names.
 */
#ifndef CLIENT_URI_H
#define CLIENT_URI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <strelaysrv/device_id.h>
#include <strelaysrv/err.h>

#define CLIENT_URI_MAX       4096 /* characters of a whole URI */
#define CLIENT_HOST_MAX      253  /* of a DNS name, the longest kind of host */
#define CLIENT_URI_TOKEN_MAX 1020
#define CLIENT_PLACE         (CLIENT_HOST_MAX + 9) /* host:port with brackets, NUL */

enum client_uri_kind { CLIENT_URI_RELAY, CLIENT_URI_HTTP, CLIENT_URI_HTTPS };

struct client_uri {
	enum client_uri_kind kind;
	char host[CLIENT_HOST_MAX + 1]; /* "": this machine; without brackets */
	uint16_t port;
	bool has_id; /* only for relays, like the token */
	uint8_t id[RELAY_DEVICE_ID_LEN];
	char token[CLIENT_URI_TOKEN_MAX + 1];
	char target[CLIENT_URI_MAX + 2]; /* of pools: "/path?query" */
};

/*
 * Reads relay://, dynamic+http:// and dynamic+https:// URIs; the scheme in
 * either case.  A fragment is dropped.  Refused: user names, white space and
 * control characters, hosts with invalid characters, ports of 0 and above
 * 65535, %-escapes that are invalid or mean NUL, an invalid id.  Of several
 * equal parameters the first counts, as in Go.
 *
 * Returns 0, or -1 with err and out unspecified.
 */
int client_uri_parse(
	const char *text, struct client_uri *out, struct relay_err *err);

/*
 * The same for http:// and https:// URIs, for redirections; kind tells which.
 */
int client_uri_parse_web(
	const char *text, struct client_uri *out, struct relay_err *err);

/* Writes host:port, with brackets where needed. */
void client_uri_place(const struct client_uri *uri, char out[CLIENT_PLACE]);

#endif
