/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Numbers of the curve P-384 as GMP's limbs, the lowest first.
 *
 * No function allocates.  None but p384_is_point() has a branch or an address
 * that depends on the value of a number.
 */
#ifndef P384_LIMBS_H
#define P384_LIMBS_H

#include <stdbool.h>

#include <gmp.h>

#include "tls/p384_curve.h"

#define P384_LIMBS (P384_LEN / (GMP_NUMB_BITS / 8))

void p384_limbs_read(
	const unsigned char bytes[P384_LEN], mp_limb_t out[P384_LIMBS]);
void p384_limbs_write(
	const mp_limb_t number[P384_LIMBS], unsigned char out[P384_LEN]);

/* Whether it is above 0 and below the order. */
bool p384_is_scalar(const mp_limb_t number[P384_LIMBS]);

/* Whether both are below the prime, and the point (x, y) is on the curve. */
bool p384_is_point(
	const mp_limb_t x[P384_LIMBS], const mp_limb_t y[P384_LIMBS]);

#endif
