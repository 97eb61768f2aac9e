/* SPDX-License-Identifier: MPL-2.0 */

/* The cipher suites of a context. */

#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "tls/tls_suites.h"

/* One suite for each algorithm that suites need. */
static const struct suite {
	const char *name, *cipher, *digest;
} suites[] = {
	{"TLS_CHACHA20_POLY1305_SHA256", "ChaCha20-Poly1305", "SHA2-256"},
	{"TLS_AES_128_GCM_SHA256", "AES-128-GCM", "SHA2-256"},
	{"TLS_AES_256_GCM_SHA384", "AES-256-GCM", "SHA2-384"},
	{"ECDHE-ECDSA-CHACHA20-POLY1305", "ChaCha20-Poly1305", "SHA2-256"},
	{"ECDHE-ECDSA-AES128-GCM-SHA256", "AES-128-GCM", "SHA2-256"},
	{"ECDHE-ECDSA-AES256-GCM-SHA384", "AES-256-GCM", "SHA2-384"},
	{"ECDHE-ECDSA-AES128-SHA", "AES-128-CBC", "SHA1"},
	{"ECDHE-ECDSA-AES256-SHA", "AES-256-CBC", "SHA1"},
};

static bool has_suite(SSL_CTX *ctx, const char *name)
{
	const STACK_OF(SSL_CIPHER) *all = SSL_CTX_get_ciphers(ctx);

	for (int i = 0; i < sk_SSL_CIPHER_num(all); i++)
		if (strcmp(SSL_CIPHER_get_name(sk_SSL_CIPHER_value(all, i)),
			    name) == 0)
			return true;
	return false;
}

static bool library_has(OSSL_LIB_CTX *libctx, const struct suite *suite)
{
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(libctx, suite->cipher, NULL);
	EVP_MD *digest = EVP_MD_fetch(libctx, suite->digest, NULL);
	bool both = cipher && digest;

	EVP_CIPHER_free(cipher);
	EVP_MD_free(digest);
	ERR_clear_error();
	return both;
}

bool tls_suites_complete(SSL_CTX *ctx, OSSL_LIB_CTX *libctx)
{
	for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++)
		if (!has_suite(ctx, suites[i].name) &&
			library_has(libctx, &suites[i]))
			return false;
	return true;
}
