/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The same calls for the server's own algorithms and for OpenSSL's: a library
 * context says whose.  Each returns false for whatever is refused.
 */
#ifndef BOTH_SIDES_H
#define BOTH_SIDES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "tls/p384.h"

#define SEAL_KEY   32
#define SEAL_NONCE 12
#define SEAL_TAG   16
#define SEAL_AAD   13 /* of a record of TLS 1.2 */

struct bytes {
	const uint8_t *at;
	size_t len;
};

/* A public key on P-384; NULL: refused.  The caller frees it. */
EVP_PKEY *key_of_point(OSSL_LIB_CTX *libctx, struct bytes point);
/* A signature in DER over a text. */
bool verifies(OSSL_LIB_CTX *libctx, EVP_PKEY *key, const char *hash,
	struct bytes text, struct bytes signature);
/* OpenSSL's answer to what p384_verify() is asked. */
bool openssl_verifies(const struct p384_point *point, struct bytes digest,
	const struct p384_signature *signature);

struct sealing {
	OSSL_LIB_CTX *libctx;
	const uint8_t *key, *nonce;
	struct bytes aad;
};

/* ChaCha20-Poly1305 as TLS 1.3 uses it.  `out` has room for the text and the
 * tag. */
bool seal(const struct sealing *with, struct bytes text, uint8_t *out);
/* `out` has room for the text. */
bool unseal(const struct sealing *with, struct bytes sealed, uint8_t *out);
/* As TLS 1.2 uses it: in place, with SEAL_AAD bytes of AAD whose last two are
 * the length of what is given; `nonce` is the connection's.  With `encrypts`,
 * the last SEAL_TAG of the `len` bytes are written. */
bool convert_record(
	const struct sealing *with, bool encrypts, uint8_t *record, size_t len);

#endif
