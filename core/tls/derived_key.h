/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Secrets that are derived from the server's private key, for modules.
 */
#ifndef DERIVED_KEY_H
#define DERIVED_KEY_H

#include <stddef.h>
#include <stdint.h>

/* As much as HKDF gives with SHA-256. */
#define DERIVED_KEY_MOST (255 * 32)

struct identity;

/*
 * HKDF-SHA256 (RFC 5869).
 *
 * The input is a word for the kind of key, NUL, and the private number with all
 * its leading zeros, in big-endian order: "EC" and the scalar, as long as the
 * group's order; "RSA" and the private exponent, as long as the modulus;
 * "ED25519" and the seed of RFC 8032.  So it depends neither on the form of
 * key.pem nor on OpenSSL.  The salt is "strelaysrv derived key 1", the info
 * `module`, NUL, `label`.
 *
 * 0; or -1 without memory, or if len is not 1 to DERIVED_KEY_MOST, and then out
 * has zeros.
 */
int derived_key(const struct identity *identity, const char *module,
	const char *label, uint8_t *out, size_t len);

#endif
