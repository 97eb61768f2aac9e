/* SPDX-License-Identifier: MPL-2.0 */

/* The same calls for the server's own algorithms and for OpenSSL's. */

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/params.h>

#include "both_sides.h"

EVP_PKEY *key_of_point(OSSL_LIB_CTX *libctx, struct bytes point)
{
	char group[] = P384_NAME;
	OSSL_PARAM params[] = {
		OSSL_PARAM_utf8_string(
			OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group) - 1),
		OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY,
			(void *)(uintptr_t)point.at, point.len),
		OSSL_PARAM_END};
	EVP_PKEY_CTX *cx = EVP_PKEY_CTX_new_from_name(libctx, "EC", NULL);
	EVP_PKEY *key = NULL;

	if (cx && EVP_PKEY_fromdata_init(cx) == 1)
		(void)EVP_PKEY_fromdata(cx, &key, EVP_PKEY_PUBLIC_KEY, params);
	EVP_PKEY_CTX_free(cx);
	ERR_clear_error();
	return key;
}

bool verifies(OSSL_LIB_CTX *libctx, EVP_PKEY *key, const char *hash,
	struct bytes text, struct bytes signature)
{
	EVP_MD_CTX *cx = EVP_MD_CTX_new();
	bool good = cx &&
		    EVP_DigestVerifyInit_ex(
			    cx, NULL, hash, libctx, NULL, key, NULL) == 1 &&
		    EVP_DigestVerify(cx, signature.at, signature.len, text.at,
			    text.len) == 1;

	EVP_MD_CTX_free(cx);
	ERR_clear_error();
	return good;
}

/* Returns the length, or 0. */
static int encode(const struct p384_signature *signature, uint8_t **der)
{
	ECDSA_SIG *both = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(signature->r, P384_LEN, NULL);
	BIGNUM *s = BN_bin2bn(signature->s, P384_LEN, NULL);
	int len = 0;

	if (both && r && s && ECDSA_SIG_set0(both, r, s))
		len = i2d_ECDSA_SIG(both, der);
	ECDSA_SIG_free(both);
	return len > 0 ? len : 0;
}

bool openssl_verifies(const struct p384_point *point, struct bytes digest,
	const struct p384_signature *signature)
{
	uint8_t uncompressed[1 + 2 * P384_LEN] = {
		POINT_CONVERSION_UNCOMPRESSED};
	uint8_t *der = NULL;
	int len = encode(signature, &der);
	EVP_PKEY_CTX *cx = NULL;
	EVP_PKEY *key;
	bool good;

	memcpy(uncompressed + 1, point->x, P384_LEN);
	memcpy(uncompressed + 1 + P384_LEN, point->y, P384_LEN);
	key = key_of_point(
		NULL, (struct bytes){uncompressed, sizeof(uncompressed)});
	if (key)
		cx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	good = len && cx && EVP_PKEY_verify_init(cx) == 1 &&
	       EVP_PKEY_verify(cx, der, (size_t)len, digest.at, digest.len) ==
		       1;
	EVP_PKEY_CTX_free(cx);
	EVP_PKEY_free(key);
	OPENSSL_free(der);
	ERR_clear_error();
	return good;
}

/* In the order in which TLS calls it. */
static EVP_CIPHER_CTX *keyed(const struct sealing *with, int encrypts)
{
	EVP_CIPHER *cipher =
		EVP_CIPHER_fetch(with->libctx, "ChaCha20-Poly1305", NULL);
	EVP_CIPHER_CTX *cx = EVP_CIPHER_CTX_new();

	if (!cipher || !cx ||
		EVP_CipherInit_ex(cx, cipher, NULL, NULL, NULL, encrypts) !=
			1 ||
		EVP_CIPHER_CTX_ctrl(
			cx, EVP_CTRL_AEAD_SET_IVLEN, SEAL_NONCE, NULL) <= 0 ||
		EVP_CipherInit_ex(cx, NULL, NULL, with->key, NULL, -1) != 1 ||
		EVP_CipherInit_ex(cx, NULL, NULL, NULL, with->nonce, -1) != 1) {
		EVP_CIPHER_CTX_free(cx);
		cx = NULL;
	}
	EVP_CIPHER_free(cipher);
	return cx;
}

static bool pass(
	EVP_CIPHER_CTX *cx, struct bytes aad, struct bytes in, uint8_t *out)
{
	int len = 0, rest = 0;

	return (!aad.len || EVP_CipherUpdate(cx, NULL, &len, aad.at,
				    (int)aad.len) == 1) &&
	       (!in.len || (EVP_CipherUpdate(
				    cx, out, &len, in.at, (int)in.len) == 1 &&
				   (size_t)len == in.len)) &&
	       EVP_CipherFinal_ex(cx, out + in.len, &rest) == 1 && rest == 0;
}

bool seal(const struct sealing *with, struct bytes text, uint8_t *out)
{
	EVP_CIPHER_CTX *cx = keyed(with, 1);
	bool good = cx && pass(cx, with->aad, text, out) &&
		    EVP_CIPHER_CTX_ctrl(cx, EVP_CTRL_AEAD_GET_TAG, SEAL_TAG,
			    out + text.len) > 0;

	EVP_CIPHER_CTX_free(cx);
	ERR_clear_error();
	return good;
}

bool unseal(const struct sealing *with, struct bytes sealed, uint8_t *out)
{
	EVP_CIPHER_CTX *cx;
	struct bytes hidden = {sealed.at, sealed.len - SEAL_TAG};
	bool good;

	if (sealed.len < SEAL_TAG)
		return false;
	cx = keyed(with, 0);
	good = cx &&
	       EVP_CIPHER_CTX_ctrl(cx, EVP_CTRL_AEAD_SET_TAG, SEAL_TAG,
		       (void *)(uintptr_t)(sealed.at + hidden.len)) > 0 &&
	       pass(cx, with->aad, hidden, out);
	EVP_CIPHER_CTX_free(cx);
	ERR_clear_error();
	return good;
}

bool convert_record(
	const struct sealing *with, bool encrypts, uint8_t *record, size_t len)
{
	EVP_CIPHER_CTX *cx = keyed(with, encrypts);
	uint8_t aad[SEAL_AAD];
	int out_len = 0;
	bool good;

	memcpy(aad, with->aad.at, SEAL_AAD);
	good = cx &&
	       EVP_CIPHER_CTX_ctrl(cx, EVP_CTRL_AEAD_TLS1_AAD, SEAL_AAD, aad) ==
		       SEAL_TAG &&
	       EVP_CipherUpdate(cx, record, &out_len, record, (int)len) == 1;
	EVP_CIPHER_CTX_free(cx);
	ERR_clear_error();
	return good;
}
