/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Estimates what a peer's certificate would cost, before OpenSSL parses it.
 *
 * A peer proves nothing before the server reads its certificate.  A chain of 79
 * certificates with keys in compressed form takes OpenSSL 56 ms to parse; an
 * RSA key with a huge exponent takes it 8 ms to verify a signature.
 */
#ifndef TLS_CERTIFICATE_H
#define TLS_CERTIFICATE_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the whole message; a device's certificate has 300 to 2,500. */
#define TLS_CERTIFICATE_LONGEST 8192
/* A device sends one certificate.  Two are accepted here, so that the module
 * gets the connection and can tell the peer why it is refused. */
#define TLS_CERTIFICATES_MOST 2
#define TLS_RSA_BITS_MOST     8192
/* Bits of the public exponent, the limit of Go's crypto/rsa. */
#define TLS_RSA_EXPONENT_BITS_MOST 31

enum tls_certificate {
	TLS_CERTIFICATE_GOOD,
	/* It may be parsed, but its key must not verify a signature. */
	TLS_CERTIFICATE_COSTLY_KEY,
	/*
	 * It must not even be parsed: too many certificates, one that is not
	 * DER, or a key that is not RSA, EdDSA, or an uncompressed point on the
	 * named curve P-256, P-384 or P-521.
	 */
	TLS_CERTIFICATE_COSTLY,
};

/*
 * Examines a handshake message Certificate, header included, of TLS 1.3 (RFC
 * 8446, 4.4.2) or TLS 1.2 (RFC 5246, 7.4.6).  A list that ends too early is
 * judged by what is there: OpenSSL refuses it anyway.  Any thread.
 */
enum tls_certificate tls_certificate_look(
	const unsigned char *message, size_t len, bool is_tls13);

#endif
