/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Self-tests: complete handshakes in memory, before any peer is served.
 *
 * OpenSSL loads algorithms when they are first used, and remembers a failure to
 * load one: after one failed allocation in the first handshake, every later one
 * failed.  And a context (SSL_CTX) silently leaves out what it did not find.
 * So TLS 1.2 and 1.3 each complete a handshake with the context that will
 * serve, and each kind of key that devices have verifies a signature.
 *
 * That is enough: all algorithms of one operation (keys, signatures, hashes and
 * so on) load when the first of them is used.  For a context, kinds of keys
 * differ only in the signature algorithms that it asks clients for, and these
 * are checked.  A handshake for each kind would load nothing more, and would
 * take as long as the rest of the start.
 */
#ifndef TLS_SELFTEST_H
#define TLS_SELFTEST_H

#include <stdbool.h>
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

/* The names in logs and metrics; ended by NULL. */
extern const char *const tls_key_words[TLS_KEY_KINDS + 1];

/* A certificate in DER, used for self-tests only. */
struct tls_selftest_cert {
	const unsigned char *der;
	size_t len;
};

extern const struct tls_selftest_cert tls_selftest_certs[TLS_KEY_KINDS];
/* The private key of the P-256 certificate; it is not secret. */
extern const uint64_t tls_selftest_scalar;

struct tls_selftest; /* a handshake of each version, not begun */

/*
 * Prepares handshakes with a server's context that has no certificate yet; it
 * may get one while they run on another thread.  `libctx` is the library
 * context of ctx.  NULL if anything fails.
 */
struct tls_selftest *tls_selftest_new(SSL_CTX *ctx, OSSL_LIB_CTX *libctx);
/*
 * Runs the handshakes and frees the self-test.  Returns bits (1 << enum
 * tls_key_kind) of the kinds of keys that failed: TLS_KEY_ALL if a handshake
 * failed or selftest is NULL.  *records_fit: whether the server's own record
 * layer (tls_records.h) could go on where OpenSSL was.
 */
unsigned tls_selftest_run(struct tls_selftest *selftest, bool *records_fit);

/* Verifies a signature of each kind that the handshakes do not use.  Returns
 * such bits.  Any thread, also while handshakes run. */
unsigned tls_selftest_keys_check(OSSL_LIB_CTX *libctx);

/* All of the above: handshakes, then signatures. */
unsigned tls_selftest_all(
	SSL_CTX *ctx, OSSL_LIB_CTX *libctx, bool *records_fit);
/* Handshakes with the certificate of ctx.  0 or -1. */
int tls_selftest_own(SSL_CTX *ctx, OSSL_LIB_CTX *libctx);

#endif
