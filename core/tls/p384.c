/* SPDX-License-Identifier: MPL-2.0 */

/* ECDSA on the curve P-384 by Nettle's low-level functions, which take their
 * memory from the caller. */

#include <string.h>

#include <nettle/ecc-curve.h>
#include <nettle/ecdsa.h>

#include "tls/p384.h"
#include "tls/p384_limbs.h"
#include "tls/p384_nonce.h"
#include "tls/tls_random.h"

/* Limbs; verifying uses half of it (Nettle 3.8), signing a tenth. */
#define SCRATCH (128 * P384_LIMBS)
/* More stack than Nettle's calls use, which keep parts of numbers there. */
#define STACK_LEN 16384
/* A nonce is unfit once in 2^190 times. */
#define NONCES_MOST 4

struct signing {
	struct p384_nonce nonce;
	unsigned char bytes[P384_LEN]; /* random numbers, then nonces */
	mp_limb_t key[P384_LIMBS], k[P384_LIMBS];
	mp_limb_t r[P384_LIMBS], s[P384_LIMBS];
	mp_limb_t scratch[SCRATCH];
};

static int sign(struct signing *with, const unsigned char *digest, size_t len)
{
	const struct ecc_curve *curve = nettle_get_secp_384r1();

	if (ecc_ecdsa_sign_itch(curve) > (mp_size_t)SCRATCH ||
		!p384_is_scalar(with->key))
		return -1;
	for (int i = 0; i < NONCES_MOST; i++) {
		p384_nonce_next(&with->nonce, P384_LEN, with->bytes);
		p384_limbs_read(with->bytes, with->k);
		if (!p384_is_scalar(with->k))
			continue;
		ecc_ecdsa_sign(curve, with->key, with->k, len, digest, with->r,
			with->s, with->scratch);
		if (p384_is_scalar(with->r) && p384_is_scalar(with->s))
			return 0;
	}
	return -1;
}

static __attribute__((noinline)) void wipe_stack(void)
{
	unsigned char below[STACK_LEN];

	explicit_bzero(below, sizeof(below));
}

int p384_sign(const unsigned char key[P384_LEN], const unsigned char *digest,
	size_t len, struct p384_signature *out)
{
	struct signing with;
	int result;

	if (tls_random_fill(with.bytes, sizeof(with.bytes)) != 0)
		return -1;
	p384_nonce_seed(
		&with.nonce, key, digest, len, with.bytes, sizeof(with.bytes));
	p384_limbs_read(key, with.key);
	result = sign(&with, digest, len);
	if (result == 0) {
		p384_limbs_write(with.r, out->r);
		p384_limbs_write(with.s, out->s);
	}
	wipe_stack();
	explicit_bzero(&with, sizeof(with));
	return result;
}

bool p384_verify(const struct p384_point *key, const unsigned char *digest,
	size_t len, const struct p384_signature *signature)
{
	const struct ecc_curve *curve = nettle_get_secp_384r1();
	mp_limb_t point[2 * P384_LIMBS], r[P384_LIMBS], s[P384_LIMBS];
	mp_limb_t scratch[SCRATCH];

	p384_limbs_read(key->x, point);
	p384_limbs_read(key->y, point + P384_LIMBS);
	p384_limbs_read(signature->r, r);
	p384_limbs_read(signature->s, s);
	/* Nettle compares r and s with 0 and the order. */
	return ecc_ecdsa_verify_itch(curve) <= (mp_size_t)SCRATCH &&
	       p384_is_point(point, point + P384_LIMBS) &&
	       ecc_ecdsa_verify(curve, point, len, digest, r, s, scratch) != 0;
}
