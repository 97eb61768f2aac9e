/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The keys of one direction of a TLS 1.3 connection (RFC 8446, 7.2 and 7.3).
 */
#ifndef TLS_RECORD_KEYS_H
#define TLS_RECORD_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

#define TLS_RECORD_SECRET 48 /* the longest, of SHA-384 */
#define TLS_RECORD_KEY    32 /* the longest */
#define TLS_RECORD_IV     12

enum tls_record_suite {
	TLS_RECORD_AES_128_GCM,
	TLS_RECORD_AES_256_GCM,
	TLS_RECORD_CHACHA20,
	TLS_RECORD_SUITES
};

/* What OpenSSL computes for all connections of a server. */
struct tls_record_algorithms {
	EVP_KDF *kdf;                           /* owned */
	EVP_CIPHER *ciphers[TLS_RECORD_SUITES]; /* owned */
};

struct tls_record_keys {
	uint64_t next;      /* the number of the next record */
	uint8_t secret_len; /* 0: the secret is not known */
	uint8_t secret[TLS_RECORD_SECRET];
	uint8_t key[TLS_RECORD_KEY];
	uint8_t iv[TLS_RECORD_IV];
};

/* [C]  0, or -1 if an algorithm is missing or memory is short; then nothing
 * needs to be freed. */
int tls_record_algorithms_init(
	struct tls_record_algorithms *all, OSSL_LIB_CTX *libctx);
/* [C]  Accepts zeros. */
void tls_record_algorithms_finish(struct tls_record_algorithms *all);

/* `id` is that of SSL_CIPHER_get_protocol_id().  TLS_RECORD_SUITES: none of
 * ours.  Any thread, as all below. */
enum tls_record_suite tls_record_suite_of(uint16_t id);

/* Begins with keys->secret: derives the rest.  0; or -1 if it is not a secret
 * of the suite, or without memory. */
int tls_record_keys_begin(const struct tls_record_algorithms *all,
	enum tls_record_suite suite, struct tls_record_keys *keys);
/* Replaces the secret by the next one, and begins with it.  0, or -1 without
 * memory: then the keys must not be used any more. */
int tls_record_keys_update(const struct tls_record_algorithms *all,
	enum tls_record_suite suite, struct tls_record_keys *keys);

#endif
