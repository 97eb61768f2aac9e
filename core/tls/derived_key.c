/* SPDX-License-Identifier: MPL-2.0 */

/* HKDF of the server's private key. */

#include <stdbool.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>

#include "tls/derived_key.h"
#include "tls/identity.h"

struct bytes {
	uint8_t *at; /* owned */
	size_t len;
};

static void wipe(struct bytes *bytes)
{
	OPENSSL_clear_free(bytes->at, bytes->len);
	bytes->at = NULL;
}

/* Makes room for the word, its NUL and `len` bytes, where the result points. */
static uint8_t *begin(struct bytes *bytes, const char *word, size_t len)
{
	size_t before = strlen(word) + 1;

	bytes->len = before + len;
	bytes->at = OPENSSL_malloc(bytes->len);
	if (!bytes->at)
		return NULL;
	memcpy(bytes->at, word, before);
	return bytes->at + before;
}

/* A number of the key, as long as `len` bytes. */
static int take_number(const EVP_PKEY *key, const char *name, const char *word,
	int len, struct bytes *out)
{
	BIGNUM *number = NULL;
	uint8_t *to = begin(out, word, (size_t)len);
	bool done = to && EVP_PKEY_get_bn_param(key, name, &number) == 1 &&
		    BN_bn2binpad(number, to, len) == len;

	BN_clear_free(number);
	return done ? 0 : -1;
}

static int take_seed(const EVP_PKEY *key, struct bytes *out)
{
	size_t len = 32;
	uint8_t *to = begin(out, "ED25519", len);

	return to && EVP_PKEY_get_raw_private_key(key, to, &len) == 1 &&
			       len == 32
		       ? 0
		       : -1;
}

static int take_secret(const EVP_PKEY *key, struct bytes *out)
{
	int bits = EVP_PKEY_get_bits(key);

	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_EC:
		return take_number(key, OSSL_PKEY_PARAM_PRIV_KEY, "EC",
			(bits + 7) / 8, out);
	case EVP_PKEY_RSA:
		return take_number(
			key, OSSL_PKEY_PARAM_RSA_D, "RSA", (bits + 7) / 8, out);
	case EVP_PKEY_ED25519:
		return take_seed(key, out);
	default:
		return -1;
	}
}

static int derive(OSSL_LIB_CTX *libctx, const struct bytes *secret,
	const struct bytes *info, uint8_t *out, size_t len)
{
	/* OpenSSL takes them by pointers that are not const. */
	char digest[] = "SHA2-256", salt[] = "strelaysrv derived key 1";
	const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(
					     OSSL_KDF_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_octet_string(
			OSSL_KDF_PARAM_KEY, secret->at, secret->len),
		OSSL_PARAM_construct_octet_string(
			OSSL_KDF_PARAM_SALT, salt, strlen(salt)),
		OSSL_PARAM_construct_octet_string(
			OSSL_KDF_PARAM_INFO, info->at, info->len),
		OSSL_PARAM_construct_end()};
	EVP_KDF *kdf = EVP_KDF_fetch(libctx, "HKDF", NULL);
	EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	int done = ctx ? EVP_KDF_derive(ctx, out, len, params) : 0;

	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return done == 1 ? 0 : -1;
}

int derived_key(const struct identity *identity, const char *module,
	const char *label, uint8_t *out, size_t len)
{
	struct bytes secret = {NULL, 0}, info = {NULL, 0};
	uint8_t *purpose = begin(&info, module, strlen(label));
	int result = -1;

	if (purpose && take_secret(identity->key, &secret) == 0) {
		memcpy(purpose, label, strlen(label));
		result = derive(identity->libctx, &secret, &info, out, len);
	}
	wipe(&secret);
	wipe(&info);
	if (result != 0)
		OPENSSL_cleanse(out, len);
	ERR_clear_error();
	return result;
}
