/* SPDX-License-Identifier: MPL-2.0 */

/*
 * uri.h - writes the relay:// URI for users and pools.
 *
 * Source: relaysrv's main.go of Syncthing 1.27 and later (earlier ones neither
 * sort nor escape the query).
 */
#ifndef URI_H
#define URI_H

#include <stddef.h>
#include <stdint.h>

#include <strelaysrv/err.h>

/*
 * Enough for every URI whose host has at most 253 characters, and provided_by
 * and status_addr at most 30 and 260 bytes; including the NUL.
 */
#define URI_TEXT 1536

/* All strings are borrowed; NULL means "". */
struct uri {
	/*
	 * A name or an address, IPv6 with or without brackets.  "" and each
	 * unspecified address is written as 0.0.0.0, which scripts replace, as
	 * the Go server writes it.  A mapped IPv4 address is written as IPv4; a
	 * zone (%eth0) is dropped.
	 */
	const char *host;
	uint16_t port;
	const char *id; /* device ID as text */
	int64_t network_timeout_ms;
	int64_t ping_interval_ms;
	int64_t global_limit;    /* bytes/s; left out if not above 0 */
	int64_t session_limit;   /* bytes/s; left out if not above 0 */
	const char *provided_by; /* left out if "" */
	const char *status_addr; /* host:port as configured; omitted if "" */
};

/*
 * Writes the URI and a NUL into the cap bytes at out.  Pure: any thread, no
 * allocation, resolves no names.  Returns 0, or -1 with err (may be NULL)
 * filled and out empty: an invalid character in host, a duration above 292
 * years, or no room.
 */
int uri_format(
	const struct uri *uri, char *out, size_t cap, struct relay_err *err);
/* Whether a URI can have this host, "" included.  0, or -1 with err. */
int uri_check_host(const char *host, struct relay_err *err);

#endif
