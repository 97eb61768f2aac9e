/* SPDX-License-Identifier: MPL-2.0 */

/* Signs once with the server's own key. */

#include <stddef.h>

#include <openssl/err.h>
#include <openssl/rsa.h>

#include "tls/tls_selftest_sign.h"

#define SIGNATURE_MOST 2048 /* bytes; RSA with 16384 bits */

/* RFC 8446, section 4.2.3: RSA keys sign by PSS with a salt as long as the
 * hash; Ed25519 has no hash of its own. */
static int sign(EVP_MD_CTX *md, EVP_PKEY *key, OSSL_LIB_CTX *libctx)
{
	static const unsigned char text[64] = {' '};
	unsigned char signature[SIGNATURE_MOST];
	size_t len = sizeof(signature);
	EVP_PKEY_CTX *how;

	if (EVP_DigestSignInit_ex(md, &how,
		    EVP_PKEY_is_a(key, "ED25519") ? NULL : "SHA2-256", libctx,
		    NULL, key, NULL) != 1)
		return -1;
	if (EVP_PKEY_is_a(key, "RSA") &&
		(EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING) <=
				0 ||
			EVP_PKEY_CTX_set_rsa_pss_saltlen(
				how, RSA_PSS_SALTLEN_DIGEST) <= 0))
		return -1;
	return EVP_DigestSign(md, signature, &len, text, sizeof(text)) == 1
		       ? 0
		       : -1;
}

int tls_selftest_sign(EVP_PKEY *key, OSSL_LIB_CTX *libctx)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	int result = md ? sign(md, key, libctx) : -1;

	EVP_MD_CTX_free(md);
	ERR_clear_error();
	return result;
}
