/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Whether a whole ClientHello has arrived (RFC 8446, 4.1.2 and 5.1).
 *
 * OpenSSL allocates as much as the first bytes announce, up to 131 kB, and
 * holds 40 kB more while it waits for the rest.  So OpenSSL reads a ClientHello
 * only when it is complete; until then its bytes stay in the socket.
 */
#ifndef TLS_HELLO_H
#define TLS_HELLO_H

#include <stddef.h>

/* Bytes of the message.  A client with a key share of X25519MLKEM768 sends
 * 1,700; most others send 200 to 600. */
#define TLS_HELLO_LONGEST 16384
/* The same with all headers: four bytes of the message's, and those of its
 * records. */
#define TLS_HELLO_ROOM (TLS_HELLO_LONGEST + 2048)

enum tls_hello {
	TLS_HELLO_PART,  /* more bytes must arrive */
	TLS_HELLO_READY, /* it is complete */
	/* It announces more than TLS_HELLO_LONGEST, or has so many records that
	 * they do not fit into TLS_HELLO_ROOM. */
	TLS_HELLO_LONG,
	TLS_HELLO_OTHER, /* these bytes are not a ClientHello */
};

/*
 * Examines the first bytes that the peer sent, at most TLS_HELLO_ROOM.  After a
 * HelloRetryRequest, these are the first bytes of its next flight, which may
 * begin with one ChangeCipherSpec.  There must be no other records between the
 * handshake records of the message, since OpenSSL would read past them.  Any
 * thread.
 */
enum tls_hello tls_hello_look(const unsigned char *bytes, size_t len);

#endif
