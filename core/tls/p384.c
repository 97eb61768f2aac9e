/* SPDX-License-Identifier: MPL-2.0 */

/* ECDSA on the curve P-384 by Nettle. */

#include <string.h>

#include <gmp.h>
#include <nettle/dsa.h>
#include <nettle/ecc-curve.h>
#include <nettle/ecdsa.h>

#include "tls/p384.h"
#include "tls/p384_memory.h"
#include "tls/p384_nonce.h"
#include "tls/tls_random.h"

static void import(mpz_t number, const unsigned char bytes[P384_LEN])
{
	mpz_import(number, P384_LEN, 1, 1, 0, 0, bytes);
}

static void export(const mpz_t number, unsigned char out[P384_LEN])
{
	size_t len = (mpz_sizeinbase(number, 2) + 7) / 8;

	memset(out, 0, P384_LEN);
	mpz_export(out + P384_LEN - len, NULL, 1, 1, 0, 0, number);
}

static void nonce_bytes(void *nonce, size_t len, uint8_t *out)
{
	p384_nonce_next(nonce, len, out);
}

/* 0, or -1 if the key is not a valid scalar of the curve. */
static int take_scalar(
	struct ecc_scalar *scalar, const unsigned char key[P384_LEN])
{
	mpz_t number;
	int good;

	mpz_init2(number, P384_LEN * 8);
	import(number, key);
	good = ecc_scalar_set(scalar, number);
	mpz_clear(number);
	return good ? 0 : -1;
}

static int sign(const unsigned char key[P384_LEN], const unsigned char *digest,
	size_t len, struct p384_nonce *nonce, struct p384_signature *out)
{
	struct ecc_scalar scalar;
	struct dsa_signature signature;
	int result;

	ecc_scalar_init(&scalar, nettle_get_secp_384r1());
	dsa_signature_init(&signature);
	result = take_scalar(&scalar, key);
	if (result == 0) {
		ecdsa_sign(
			&scalar, nonce, nonce_bytes, len, digest, &signature);
		export(signature.r, out->r);
		export(signature.s, out->s);
	}
	dsa_signature_clear(&signature);
	ecc_scalar_clear(&scalar);
	return result;
}

int p384_sign(const unsigned char key[P384_LEN], const unsigned char *digest,
	size_t len, struct p384_signature *out)
{
	struct p384_memory memory;
	struct p384_nonce nonce;
	unsigned char extra[P384_LEN];
	int result;

	if (tls_random_fill(extra, sizeof(extra)) != 0)
		return -1;
	p384_nonce_seed(&nonce, key, digest, len, extra, sizeof(extra));
	p384_memory_begin(&memory);
	result = sign(key, digest, len, &nonce, out);
	p384_memory_end(&memory);
	explicit_bzero(&nonce, sizeof(nonce));
	explicit_bzero(extra, sizeof(extra));
	return result;
}

static bool verify(const struct p384_point *key, const unsigned char *digest,
	size_t len, const struct p384_signature *signature)
{
	struct ecc_point point;
	struct dsa_signature both;
	mpz_t x, y;
	bool good;

	ecc_point_init(&point, nettle_get_secp_384r1());
	dsa_signature_init(&both);
	mpz_init(x);
	mpz_init(y);
	import(x, key->x);
	import(y, key->y);
	import(both.r, signature->r);
	import(both.s, signature->s);
	good = ecc_point_set(&point, x, y) &&
	       ecdsa_verify(&point, len, digest, &both);
	mpz_clear(y);
	mpz_clear(x);
	dsa_signature_clear(&both);
	ecc_point_clear(&point);
	return good;
}

bool p384_verify(const struct p384_point *key, const unsigned char *digest,
	size_t len, const struct p384_signature *signature)
{
	struct p384_memory memory;
	bool good;

	p384_memory_begin(&memory);
	good = verify(key, digest, len, signature);
	p384_memory_end(&memory);
	return good;
}
