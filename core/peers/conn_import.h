/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Connections that another process accepted and this one serves.
 */
#ifndef CONN_IMPORT_H
#define CONN_IMPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct relay_conn;

#define CONN_IMPORT_DATA_MAX 512 /* bytes that may have been read before */

/*
 * [C]  Takes over fd, a connected socket from which another process has read
 * the `len` bytes at `data`: modules read these first, then from the socket.
 * Closes fd on failure.
 */
void conn_import(int fd, const void *data, size_t len);

/* What a proxy has said of a connection, between processes of any version:
 * addresses in 16 bytes, IPv4 as ::ffff:a.b.c.d, ports in network order. */
struct conn_import_proxied {
	uint8_t from[16], to[16];
	uint16_t from_port, to_port;
};
/* [C]  As conn_import(), for a connection of a proxy: `data` begins with a
 * struct conn_import_proxied. */
void conn_import_proxied(int fd, const void *data, size_t len);
/* [W]  Fills it.  False: no proxy has made the connection. */
bool conn_export_proxied(
	const struct relay_conn *conn, struct conn_import_proxied *out);

/* What the new process must know of a connection that the old one passes on.
 * If it is not of a proxy, place.to means nothing: the socket knows. */
struct conn_import_onward {
	struct conn_import_proxied place;
	uint16_t proxied;  /* 0 or 1 */
	uint16_t reserved; /* 0 */
};
/* [C]  As conn_import(); `data` begins with a struct conn_import_onward. */
void conn_import_onward(int fd, const void *data, size_t len);
/* [W]  Fills it. */
void conn_export_onward(
	const struct relay_conn *conn, struct conn_import_onward *out);

#endif
