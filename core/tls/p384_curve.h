/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The curve P-384 (FIPS 186-4, secp384r1).
 */
#ifndef P384_CURVE_H
#define P384_CURVE_H

#define P384_LEN  48          /* bytes of a coordinate, a scalar, a digest */
#define P384_NAME "secp384r1" /* OpenSSL's */

/* The order of the base point, big-endian. */
extern const unsigned char p384_order[P384_LEN];

#endif
