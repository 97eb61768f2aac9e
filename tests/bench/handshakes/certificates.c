/* SPDX-License-Identifier: MPL-2.0 */

/* Creates keys and certificates, usual ones and those of attackers. */

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/objects.h>
#include <openssl/param_build.h>
#include <openssl/x509v3.h>

#include "certificates.h"

#define PRIME_BITS 512
#define EXPONENT   65537

EVP_PKEY *make_key(const char *kind)
{
	return strncmp(kind, "ED", 2) == 0 ? EVP_PKEY_Q_keygen(NULL, NULL, kind)
					   : EVP_EC_gen(kind);
}

EVP_PKEY *make_key_as(const char *curve, const char *parameter, const char *how)
{
	EVP_PKEY *key = make_key(curve);

	if (key && EVP_PKEY_set_utf8_string_param(key, parameter, how) == 1)
		return key;
	EVP_PKEY_free(key);
	return NULL;
}

/* Computes n and phi(n).  0 or -1. */
static int make_modulus(int bits, BIGNUM *n, BIGNUM *phi, BN_CTX *ctx)
{
	BIGNUM *prime = BN_CTX_get(ctx);

	if (!prime || !BN_one(n) || !BN_one(phi))
		return -1;
	for (int i = 0; i < bits / PRIME_BITS; i++)
		if (!BN_generate_prime_ex(
			    prime, PRIME_BITS, 0, NULL, NULL, NULL) ||
			!BN_mul(n, n, prime, ctx) || !BN_sub_word(prime, 1) ||
			!BN_mul(phi, phi, prime, ctx))
			return -1;
	return 0;
}

static EVP_PKEY *rsa_of(const BIGNUM *n, const BIGNUM *e, const BIGNUM *d)
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	OSSL_PARAM *params = NULL;
	EVP_PKEY *key = NULL;

	if (build && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) &&
		OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) &&
		OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_D, d))
		params = OSSL_PARAM_BLD_to_param(build);
	if (!params || !ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
		EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params) != 1)
		key = NULL;
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

EVP_PKEY *make_rsa(int bits, bool huge_exponent)
{
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *n = BN_new(), *phi = BN_new(), *small = BN_new(), *huge = NULL;
	EVP_PKEY *key = NULL;

	if (ctx && n && phi && small && BN_set_word(small, EXPONENT) &&
		make_modulus(bits, n, phi, ctx) == 0)
		huge = BN_mod_inverse(NULL, small, phi, ctx);
	if (huge)
		key = huge_exponent ? rsa_of(n, huge, small)
				    : rsa_of(n, small, huge);
	BN_free(n);
	BN_free(phi);
	BN_free(small);
	BN_free(huge);
	BN_CTX_free(ctx);
	return key;
}

static int add_names(X509 *cert, int n)
{
	X509_NAME *name = X509_get_subject_name(cert);

	for (int i = 0; i < n; i++)
		if (!X509_NAME_add_entry_by_NID(name, NID_commonName,
			    MBSTRING_ASC, (const unsigned char *)"a", 1, -1, 0))
			return -1;
	return 0;
}

static int add_extensions(X509 *cert, int n)
{
	static const unsigned char empty[] = {0x30, 0};
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *one = NULL;
	int done = value && ASN1_OCTET_STRING_set(value, empty, sizeof(empty))
			   ? 0
			   : -1;

	if (done == 0)
		one = X509_EXTENSION_create_by_NID(
			NULL, NID_netscape_comment, 0, value);
	for (int i = 0; i < n && one && done == 0; i++)
		done = X509_add_ext(cert, one, -1) == 1 ? 0 : -1;
	X509_EXTENSION_free(one);
	ASN1_OCTET_STRING_free(value);
	return done;
}

X509 *make_certificate(EVP_PKEY *key, int names, int extensions)
{
	X509 *cert = X509_new();
	const EVP_MD *digest =
		EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448")
			? NULL
			: EVP_sha256();

	if (cert && X509_set_version(cert, X509_VERSION_3) == 1 &&
		ASN1_INTEGER_set(X509_get_serialNumber(cert), 1) == 1 &&
		X509_gmtime_adj(X509_getm_notBefore(cert), 0) &&
		X509_gmtime_adj(X509_getm_notAfter(cert), 86400) &&
		add_names(cert, names) == 0 &&
		add_extensions(cert, extensions) == 0 &&
		X509_set_pubkey(cert, key) == 1 &&
		X509_sign(cert, key, digest) > 0)
		return cert;
	X509_free(cert);
	return NULL;
}
