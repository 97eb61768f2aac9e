/* SPDX-License-Identifier: MPL-2.0 */

/* Numbers of the curve P-384. */

#include <stddef.h>

#include "tls/p384_limbs.h"

#define LIMB_LEN (GMP_NUMB_BITS / 8)
/* Four times as many as GMP 6.2 needs. */
#define SCRATCH (8 * P384_LIMBS)

/* SEC 2, section 2.5.1. */
const unsigned char p384_order[P384_LEN] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37,
	0x2d, 0xdf, 0x58, 0x1a, 0x0d, 0xb2, 0x48, 0xb0, 0xa7, 0x7a, 0xec, 0xec,
	0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x73};
static const unsigned char prime_bytes[P384_LEN] = {0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff};
static const unsigned char b_bytes[P384_LEN] = {0xb3, 0x31, 0x2f, 0xa7, 0xe2,
	0x3e, 0xe7, 0xe4, 0x98, 0x8e, 0x05, 0x6b, 0xe3, 0xf8, 0x2d, 0x19, 0x18,
	0x1d, 0x9c, 0x6e, 0xfe, 0x81, 0x41, 0x12, 0x03, 0x14, 0x08, 0x8f, 0x50,
	0x13, 0x87, 0x5a, 0xc6, 0x56, 0x39, 0x8d, 0x8a, 0x2e, 0xd1, 0x9d, 0x2a,
	0x85, 0xc8, 0xed, 0xd3, 0xec, 0x2a, 0xef};

void p384_limbs_read(
	const unsigned char bytes[P384_LEN], mp_limb_t out[P384_LIMBS])
{
	for (size_t i = 0; i < P384_LIMBS; i++) {
		const unsigned char *at = bytes + P384_LEN - (i + 1) * LIMB_LEN;

		out[i] = 0;
		for (size_t j = 0; j < LIMB_LEN; j++)
			out[i] = out[i] << 8 | at[j];
	}
}

void p384_limbs_write(
	const mp_limb_t number[P384_LIMBS], unsigned char out[P384_LEN])
{
	for (size_t i = 0; i < P384_LEN; i++)
		out[P384_LEN - 1 - i] = (unsigned char)(number[i / LIMB_LEN] >>
							(i % LIMB_LEN * 8));
}

static bool is_below(const mp_limb_t number[P384_LIMBS],
	const unsigned char bound_bytes[P384_LEN])
{
	mp_limb_t bound[P384_LIMBS];

	p384_limbs_read(bound_bytes, bound);
	return mpn_sub_n(bound, number, bound, P384_LIMBS) != 0;
}

bool p384_is_scalar(const mp_limb_t number[P384_LIMBS])
{
	mp_limb_t any = 0;

	for (size_t i = 0; i < P384_LIMBS; i++)
		any |= number[i];
	return (any != 0) & is_below(number, p384_order);
}

/* out = (a * b + c) mod prime.  Any of them may be the same. */
static void multiply_add(const mp_limb_t *a, const mp_limb_t *b,
	const mp_limb_t *c, const mp_limb_t *prime, mp_limb_t *out)
{
	mp_limb_t product[2 * P384_LIMBS], scratch[SCRATCH];

	mpn_sec_mul(product, a, P384_LIMBS, b, P384_LIMBS, scratch);
	(void)mpn_add(product, product, 2 * P384_LIMBS, c, P384_LIMBS);
	mpn_sec_div_r(product, 2 * P384_LIMBS, prime, P384_LIMBS, scratch);
	mpn_copyi(out, product, P384_LIMBS);
}

/* y^2 = (x^2 - 3) x + b */
static bool solves(const mp_limb_t x[P384_LIMBS], const mp_limb_t y[P384_LIMBS])
{
	static const unsigned char three_bytes[P384_LEN] = {[P384_LEN - 1] = 3};
	static const mp_limb_t zero[P384_LIMBS];
	mp_limb_t prime[P384_LIMBS], b[P384_LIMBS], minus_three[P384_LIMBS];
	mp_limb_t left[P384_LIMBS], right[P384_LIMBS];

	p384_limbs_read(prime_bytes, prime);
	p384_limbs_read(b_bytes, b);
	p384_limbs_read(three_bytes, minus_three);
	(void)mpn_sub_n(minus_three, prime, minus_three, P384_LIMBS);
	multiply_add(x, x, minus_three, prime, right);
	multiply_add(right, x, b, prime, right);
	multiply_add(y, y, zero, prime, left);
	return mpn_cmp(left, right, P384_LIMBS) == 0;
}

bool p384_is_point(const mp_limb_t x[P384_LIMBS], const mp_limb_t y[P384_LIMBS])
{
	return mpn_sec_mul_itch(P384_LIMBS, P384_LIMBS) <= (mp_size_t)SCRATCH &&
	       mpn_sec_div_r_itch(2 * P384_LIMBS, P384_LIMBS) <=
		       (mp_size_t)SCRATCH &&
	       is_below(x, prime_bytes) && is_below(y, prime_bytes) &&
	       solves(x, y);
}
