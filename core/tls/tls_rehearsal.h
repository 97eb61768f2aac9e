/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Complete handshakes in memory, before anybody is served.
 *
 * OpenSSL loads algorithms when they are first used, and remembers what it
 * could not load: one failed allocation in the first handshake made every later
 * one fail.  A context (SSL_CTX) silently leaves out what it did not find.  So
 * each kind of key that devices have signs and is verified, by client and
 * server, in TLS 1.2 and 1.3, with the very context that will serve.
 */
#ifndef TLS_REHEARSAL_H
#define TLS_REHEARSAL_H

#include <stddef.h>

#include <openssl/ssl.h>

enum tls_key_kind {
	TLS_KEY_P384,
	TLS_KEY_P256,
	TLS_KEY_ED25519,
	TLS_KEY_RSA,
	TLS_KEY_KINDS
};

/* Ended by NULL; as logs and metrics have them. */
extern const char *const tls_key_words[TLS_KEY_KINDS + 1];

/* DER of a certificate and of its key (PKCS#8), for rehearsals alone. */
struct tls_rehearsal_pair {
	const unsigned char *cert;
	size_t cert_len;
	const unsigned char *key;
	size_t key_len;
};

extern const struct tls_rehearsal_pair tls_rehearsal_pairs[TLS_KEY_KINDS];

struct tls_rehearsal; /* handshakes that have not begun */

/*
 * Makes ready for handshakes with a server's context that has no certificate;
 * afterwards it may get one while they run on another thread.  `libctx` is that
 * of ctx.  NULL if anything is missing.
 */
struct tls_rehearsal *tls_rehearsal_new(SSL_CTX *ctx, OSSL_LIB_CTX *libctx);
/* 0, or -1 if any failed.  Frees the rehearsal, which may be NULL: -1. */
int tls_rehearsal_run(struct tls_rehearsal *rehearsal);

/* One kind at a time: bits (1 << enum tls_key_kind) of those that failed. */
unsigned tls_rehearse_each(SSL_CTX *ctx, OSSL_LIB_CTX *libctx);
/* With the certificate that ctx has.  0 or -1. */
int tls_rehearse_own(SSL_CTX *ctx, OSSL_LIB_CTX *libctx);

#endif
