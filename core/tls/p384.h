/* SPDX-License-Identifier: MPL-2.0 */

/*
 * ECDSA on the curve P-384, by Nettle.
 *
 * Numbers are unsigned and big-endian.  All functions may run on any thread.
 */
#ifndef P384_H
#define P384_H

#include <stdbool.h>
#include <stddef.h>

#include "tls/p384_curve.h"

struct p384_point {
	unsigned char x[P384_LEN], y[P384_LEN];
};

struct p384_signature {
	unsigned char r[P384_LEN], s[P384_LEN];
};

/*
 * Signs the first 48 bytes of a digest, in a time that does not depend on the
 * key.  0, or -1: the key is not a valid scalar of the curve, or the system has
 * no random numbers.
 */
int p384_sign(const unsigned char key[P384_LEN], const unsigned char *digest,
	size_t len, struct p384_signature *out);

/* Whether the signature is valid for this key and digest. */
bool p384_verify(const struct p384_point *key, const unsigned char *digest,
	size_t len, const struct p384_signature *signature);

#endif
