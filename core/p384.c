/* SPDX-License-Identifier: MPL-2.0 */

/* ECDSA on the curve P-384 by Nettle. */

#include <string.h>

#include <gmp.h>
#include <nettle/dsa.h>
#include <nettle/ecc-curve.h>
#include <nettle/ecdsa.h>

#include "p384.h"
#include "tls_random.h"

#define LIMBS (P384_LEN / sizeof(mp_limb_t))

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

/* Nettle cannot be told of a failure: what it makes then is thrown away. */
static void random_bytes(void *failed, size_t len, uint8_t *out)
{
	if (tls_random_fill(out, len) == 0)
		return;
	*(bool *)failed = true;
	memset(out, 1, len);
}

/* 0, or -1: it is none of the curve. */
static int take_scalar(
	struct ecc_scalar *scalar, const unsigned char key[P384_LEN])
{
	mpz_t number;
	int good;

	mpz_init2(number, P384_LEN * 8);
	import(number, key);
	good = ecc_scalar_set(scalar, number);
	explicit_bzero(mpz_limbs_modify(number, LIMBS), P384_LEN);
	mpz_clear(number);
	return good ? 0 : -1;
}

int p384_sign(const unsigned char key[P384_LEN], const unsigned char *digest,
	size_t len, struct p384_signature *out)
{
	struct ecc_scalar scalar;
	struct dsa_signature signature;
	bool failed = false;
	int result;

	ecc_scalar_init(&scalar, nettle_get_secp_384r1());
	dsa_signature_init(&signature);
	result = take_scalar(&scalar, key);
	if (result == 0)
		ecdsa_sign(&scalar, &failed, random_bytes, len, digest,
			&signature);
	if (failed)
		result = -1;
	if (result == 0) {
		export(signature.r, out->r);
		export(signature.s, out->s);
	}
	dsa_signature_clear(&signature);
	explicit_bzero(scalar.p, P384_LEN);
	ecc_scalar_clear(&scalar);
	return result;
}

bool p384_verify(const struct p384_point *key, const unsigned char *digest,
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
