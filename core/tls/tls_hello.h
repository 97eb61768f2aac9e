/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Whether a whole ClientHello has arrived (RFC 8446, 4.1.2 and 5.1).
 *
 * OpenSSL allocates room for what the first bytes announce, up to 131 kB, and
 * holds 40 kB more while it waits for the rest.  So it gets to see a
 * ClientHello only when all of it is there; until then its bytes stay in the
 * socket.
 */
#ifndef TLS_HELLO_H
#define TLS_HELLO_H

#include <stddef.h>

/*
 * Bytes of the message.  A client with a share of X25519MLKEM768 sends 1,700,
 * and most others send 200 to 600.
 */
#define TLS_HELLO_LONGEST 16384
/* Bytes of all that belongs to it: four of its header, and its records'. */
#define TLS_HELLO_ROOM (TLS_HELLO_LONGEST + 2048)

enum tls_hello {
	TLS_HELLO_PART,  /* more of it must arrive first */
	TLS_HELLO_READY, /* all of it is there */
	/* It announces more than TLS_HELLO_LONGEST, or it has so many records
	 * that it does not fit into TLS_HELLO_ROOM. */
	TLS_HELLO_LONG,
	TLS_HELLO_OTHER, /* these bytes are no ClientHello */
};

/*
 * The first bytes that the peer sent, TLS_HELLO_ROOM at most; after a
 * HelloRetryRequest, the first ones of its next flight, which may begin with
 * one ChangeCipherSpec.  Nothing but handshake records may stand between its
 * parts: OpenSSL would read on behind others.  Any thread.
 */
enum tls_hello tls_hello_look(const unsigned char *bytes, size_t len);

#endif
