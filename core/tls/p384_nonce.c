/* SPDX-License-Identifier: MPL-2.0 */

/* Nonces for ECDSA on P-384 (RFC 6979). */

#include <string.h>

#include <nettle/hmac.h>

#include "tls/p384_nonce.h"

/* bits2octets of RFC 6979, section 2.3.4.  Its time may depend on the digest,
 * which is not secret. */
static void reduce(const uint8_t *digest, size_t len, uint8_t out[P384_LEN])
{
	unsigned borrow = 0;

	if (len > P384_LEN)
		len = P384_LEN;
	memset(out, 0, P384_LEN);
	memcpy(out + P384_LEN - len, digest, len);
	if (memcmp(out, p384_order, P384_LEN) < 0)
		return;
	for (size_t i = P384_LEN; i-- > 0;) {
		unsigned less = p384_order[i] + borrow;

		borrow = out[i] < less;
		out[i] = (uint8_t)(out[i] - less);
	}
}

static void next_v(struct p384_nonce *nonce)
{
	struct hmac_sha384_ctx hmac;

	hmac_sha384_set_key(&hmac, P384_LEN, nonce->k);
	hmac_sha384_update(&hmac, P384_LEN, nonce->v);
	hmac_sha384_digest(&hmac, P384_LEN, nonce->v);
	explicit_bzero(&hmac, sizeof(hmac));
}

struct part {
	const uint8_t *at;
	size_t len;
};

/* K = HMAC(K, V || step || parts), V = HMAC(K, V). */
static void stir(struct p384_nonce *nonce, uint8_t step,
	const struct part *parts, size_t count)
{
	struct hmac_sha384_ctx hmac;

	hmac_sha384_set_key(&hmac, P384_LEN, nonce->k);
	hmac_sha384_update(&hmac, P384_LEN, nonce->v);
	hmac_sha384_update(&hmac, 1, &step);
	for (size_t i = 0; i < count; i++)
		hmac_sha384_update(&hmac, parts[i].len, parts[i].at);
	hmac_sha384_digest(&hmac, P384_LEN, nonce->k);
	explicit_bzero(&hmac, sizeof(hmac));
	next_v(nonce);
}

void p384_nonce_seed(struct p384_nonce *nonce, const uint8_t key[P384_LEN],
	const uint8_t *digest, size_t digest_len, const uint8_t *extra,
	size_t extra_len)
{
	uint8_t reduced[P384_LEN];
	const struct part parts[] = {
		{key, P384_LEN}, {reduced, P384_LEN}, {extra, extra_len}};

	reduce(digest, digest_len, reduced);
	memset(nonce->k, 0, sizeof(nonce->k));
	memset(nonce->v, 1, sizeof(nonce->v));
	nonce->used = false;
	stir(nonce, 0, parts, 3);
	stir(nonce, 1, parts, 3);
}

void p384_nonce_next(struct p384_nonce *nonce, size_t len, uint8_t *out)
{
	if (nonce->used)
		stir(nonce, 0, NULL, 0);
	nonce->used = true;
	while (len > 0) {
		size_t some = len < P384_LEN ? len : P384_LEN;

		next_v(nonce);
		memcpy(out, nonce->v, some);
		out += some;
		len -= some;
	}
}
