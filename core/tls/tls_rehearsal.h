/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Complete handshakes in memory, before anybody is served.
 *
 * OpenSSL loads algorithms when they are first used, and remembers what it
 * could not load: one failed allocation in the first handshake made every later
 * one fail.  A context (SSL_CTX) silently leaves out what it did not find.  So
 * TLS 1.2 and 1.3 each complete a handshake with the very context that will
 * serve, and each kind of key that devices have verifies a signature.
 *
 * All algorithms of one operation (keys, signatures, hashes and so on) load
 * when the first of them is used, and kinds of keys differ for a context in
 * what it asks clients to sign with, which is looked at.  A handshake for each
 * kind would load nothing more, and would take as long as the rest of the
 * start.
 */
#ifndef TLS_REHEARSAL_H
#define TLS_REHEARSAL_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>

enum tls_key_kind {
	TLS_KEY_P384,
	TLS_KEY_P256,
	TLS_KEY_ED25519,
	TLS_KEY_RSA,
	TLS_KEY_KINDS
};

#define TLS_KEY_ALL ((1U << TLS_KEY_KINDS) - 1)

/* Ended by NULL; as logs and metrics have them. */
extern const char *const tls_key_words[TLS_KEY_KINDS + 1];

/* DER of a certificate, for rehearsals alone. */
struct tls_rehearsal_cert {
	const unsigned char *der;
	size_t len;
};

extern const struct tls_rehearsal_cert tls_rehearsal_certs[TLS_KEY_KINDS];
/* The private key of the one on P-256, which is no secret. */
extern const uint64_t tls_rehearsal_scalar;

struct tls_rehearsal; /* a handshake of each version, not begun */

/*
 * Makes ready for handshakes with a server's context that has no certificate;
 * afterwards it may get one while they run on another thread.  `libctx` is that
 * of ctx.  NULL if anything is missing.
 */
struct tls_rehearsal *tls_rehearsal_new(SSL_CTX *ctx, OSSL_LIB_CTX *libctx);
/*
 * Bits (1 << enum tls_key_kind) of the kinds that failed: TLS_KEY_ALL if a
 * handshake did.  Frees the rehearsal; NULL means TLS_KEY_ALL.
 */
unsigned tls_rehearsal_run(struct tls_rehearsal *rehearsal);

/*
 * Signatures of each kind that the handshakes leave out, with such bits.  Any
 * thread, beside handshakes as well.
 */
unsigned tls_rehearse_kinds(OSSL_LIB_CTX *libctx);

/* All that is above. */
unsigned tls_rehearse(SSL_CTX *ctx, OSSL_LIB_CTX *libctx);
/* Handshakes with the certificate that ctx has.  0 or -1. */
int tls_rehearse_own(SSL_CTX *ctx, OSSL_LIB_CTX *libctx);

#endif
