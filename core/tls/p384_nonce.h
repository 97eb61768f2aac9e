/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Nonces for ECDSA on P-384: HMAC-DRBG with SHA-384, seeded with the private
 * key, the digest and further entropy (RFC 6979, section 3.6).
 *
 * A nonce is as good as the better of its two sources.  If the kernel's random
 * numbers repeat or can be predicted, nonces are as safe as those of RFC 6979;
 * if the hash is weak, they are random.
 */
#ifndef P384_NONCE_H
#define P384_NONCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tls/p384_curve.h"

/* Secret; the caller must wipe it. */
struct p384_nonce {
	uint8_t k[P384_LEN], v[P384_LEN];
	bool used; /* a candidate was made; if another is needed, it was bad */
};

/* Uses the first 48 bytes of the digest.  Without `extra` the nonces are those
 * of RFC 6979, section 3.2. */
void p384_nonce_seed(struct p384_nonce *nonce, const uint8_t key[P384_LEN],
	const uint8_t *digest, size_t digest_len, const uint8_t *extra,
	size_t extra_len);
/* Writes the next candidate nonce, big-endian. */
void p384_nonce_next(struct p384_nonce *nonce, size_t len, uint8_t *out);

#endif
