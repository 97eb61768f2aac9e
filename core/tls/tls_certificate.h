/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What a peer's certificate would cost, before OpenSSL reads it.
 *
 * Nobody has to prove anything before the server reads a certificate.  Points
 * in compressed form, in a chain of 79 certificates, take it 56 ms; an RSA key
 * with a huge exponent takes 8 ms to verify a signature.
 */
#ifndef TLS_CERTIFICATE_H
#define TLS_CERTIFICATE_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the whole message; a certificate has 300 to 2,500. */
#define TLS_CERTIFICATE_LONGEST 8192
/* A device has one; with two it is told that it is not welcome. */
#define TLS_CERTIFICATES_MOST 2
#define TLS_RSA_BITS_MOST     8192
/* Of the public exponent, as in Go's crypto/rsa. */
#define TLS_RSA_EXPONENT_BITS_MOST 31

enum tls_certificate {
	TLS_CERTIFICATE_GOOD,
	/* It may be read, but no signature may be verified with its key. */
	TLS_CERTIFICATE_COSTLY_KEY,
	/* It must not even be read: too many certificates, one that is not
	 * DER, or a key that is neither RSA, EdDSA, nor an uncompressed point
	 * on P-256, P-384 or P-521 by name. */
	TLS_CERTIFICATE_COSTLY,
};

/*
 * A handshake message Certificate with its header, as TLS 1.3 (RFC 8446, 4.4.2)
 * or TLS 1.2 (RFC 5246, 7.4.6) has it.  A list that breaks off is good as far
 * as it goes: OpenSSL refuses it.  Any thread.
 */
enum tls_certificate tls_certificate_look(
	const unsigned char *message, size_t len, bool is_tls13);

#endif
