/* SPDX-License-Identifier: MPL-2.0 */

/*
 * certificates.h - keys and certificates, usual ones and those of attackers.
 */
#ifndef CERTIFICATES_H
#define CERTIFICATES_H

#include <stdbool.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

/* A key of that name: a curve, ED25519 or ED448.  NULL without it. */
EVP_PKEY *make_key(const char *kind);
/* The same on a curve, whose certificates have `how` for the parameter. */
EVP_PKEY *make_key_as(
	const char *curve, const char *parameter, const char *how);
/*
 * RSA with a modulus of several primes of 512 bits, for the sake of time.  With
 * a huge exponent, which takes the place of the private one, signing is cheap
 * and verifying is not.
 */
EVP_PKEY *make_rsa(int bits, bool huge_exponent);
/* Self-signed; `names` parts of its name, `extensions` that nobody knows. */
X509 *make_certificate(EVP_PKEY *key, int names, int extensions);

#endif
