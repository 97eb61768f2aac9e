/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The header that a proxy sends first, with the address of its client: the
 * PROXY protocol, versions 1 and 2.
 *
 * Source: haproxy's proxy-protocol.txt.
 */
#ifndef PROXY_HEADER_H
#define PROXY_HEADER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* The longest of both versions that is accepted, in bytes. */
#define PROXY_HEADER_MOST 536

enum proxy_header_kind {
	PROXY_HEADER_PART,     /* more must come */
	PROXY_HEADER_PEER,     /* it names a client */
	PROXY_HEADER_CHECK,    /* it names none: a health check of the proxy */
	PROXY_HEADER_BAD,      /* it is no header */
	PROXY_HEADER_LONG,     /* it is longer than PROXY_HEADER_MOST */
	PROXY_HEADER_CHECKSUM, /* its CRC32c is wrong */
};

struct proxy_header {
	size_t len; /* PEER, CHECK: how many of the bytes are the header */
	struct sockaddr_storage from,
		to; /* PEER: the client, and the address
		     * at the proxy that it connected to */
};

/*
 * Reads the first `len` bytes of a connection; more than the header may have
 * come.  Pure.  Any verdict but PART stays with more bytes, and PART is said of
 * less than PROXY_HEADER_MOST bytes only.
 */
enum proxy_header_kind proxy_header_read(
	const uint8_t *bytes, size_t len, struct proxy_header *out);

#endif
