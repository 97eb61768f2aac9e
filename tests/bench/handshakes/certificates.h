/* SPDX-License-Identifier: MPL-2.0 */

/*
 * certificates.h - creates keys and certificates, usual ones and those of
 * attackers.
 */
#ifndef CERTIFICATES_H
#define CERTIFICATES_H

#include <stdbool.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

/* A key of that type: a curve, ED25519 or ED448.  NULL if unsupported. */
EVP_PKEY *make_key(const char *kind);
/*
 * The same on a curve; `how` is the form of the curve parameters in
 * certificates.
 */
EVP_PKEY *make_key_as(
	const char *curve, const char *parameter, const char *how);
/*
 * An RSA key whose modulus has several primes of 512 bits, which are fast to
 * generate.  With `huge`, public and private exponent are swapped, so that
 * signing is cheap and verifying is expensive.
 */
EVP_PKEY *make_rsa(int bits, bool huge_exponent);
/*
 * A self-signed certificate with `names` parts in its name and `extensions`
 * unknown extensions.
 */
X509 *make_certificate(EVP_PKEY *key, int names, int extensions);

#endif
