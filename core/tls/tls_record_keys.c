/* SPDX-License-Identifier: MPL-2.0 */

/* Derives the keys of records from a traffic secret. */

#include <stdbool.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "tls/tls_record_keys.h"

static const struct suite {
	uint16_t id; /* RFC 8446, B.4 */
	const char *cipher, *hash;
	size_t secret_len, key_len;
} suites[TLS_RECORD_SUITES] = {
	[TLS_RECORD_AES_128_GCM] = {0x1301, "AES-128-GCM", "SHA2-256", 32, 16},
	[TLS_RECORD_AES_256_GCM] = {0x1302, "AES-256-GCM", "SHA2-384", 48, 32},
	[TLS_RECORD_CHACHA20] = {0x1303, "ChaCha20-Poly1305", "SHA2-256", 32,
		32},
};

int tls_record_algorithms_init(
	struct tls_record_algorithms *all, OSSL_LIB_CTX *libctx)
{
	bool good;

	*all = (struct tls_record_algorithms){
		.kdf = EVP_KDF_fetch(libctx, OSSL_KDF_NAME_TLS1_3_KDF, NULL)};
	good = all->kdf != NULL;
	for (size_t i = 0; good && i < TLS_RECORD_SUITES; i++) {
		all->ciphers[i] =
			EVP_CIPHER_fetch(libctx, suites[i].cipher, NULL);
		good = all->ciphers[i] != NULL;
	}
	if (good)
		return 0;
	tls_record_algorithms_finish(all);
	return -1;
}

void tls_record_algorithms_finish(struct tls_record_algorithms *all)
{
	EVP_KDF_free(all->kdf);
	for (size_t i = 0; i < TLS_RECORD_SUITES; i++)
		EVP_CIPHER_free(all->ciphers[i]);
	*all = (struct tls_record_algorithms){.kdf = NULL};
}

enum tls_record_suite tls_record_suite_of(uint16_t id)
{
	enum tls_record_suite suite = 0;

	while (suite < TLS_RECORD_SUITES && suites[suite].id != id)
		suite++;
	return suite;
}

/* HKDF-Expand-Label without a context (RFC 8446, 7.1). */
static int expand(EVP_KDF_CTX *cx, const struct suite *suite,
	const uint8_t *secret, const char *label, uint8_t *out, size_t len)
{
	static const char prefix[] = "tls13 ";
	int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
	OSSL_PARAM params[] = {OSSL_PARAM_int(OSSL_KDF_PARAM_MODE, &mode),
		OSSL_PARAM_utf8_string(OSSL_KDF_PARAM_DIGEST,
			(void *)(uintptr_t)suite->hash, strlen(suite->hash)),
		OSSL_PARAM_octet_string(OSSL_KDF_PARAM_KEY,
			(void *)(uintptr_t)secret, suite->secret_len),
		OSSL_PARAM_octet_string(OSSL_KDF_PARAM_PREFIX,
			(void *)(uintptr_t)prefix, sizeof(prefix) - 1),
		OSSL_PARAM_octet_string(OSSL_KDF_PARAM_LABEL,
			(void *)(uintptr_t)label, strlen(label)),
		OSSL_PARAM_END};

	return EVP_KDF_derive(cx, out, len, params) == 1 ? 0 : -1;
}

int tls_record_keys_begin(const struct tls_record_algorithms *all,
	enum tls_record_suite suite, struct tls_record_keys *keys)
{
	const struct suite *of = &suites[suite];
	EVP_KDF_CTX *cx;
	int result = -1;

	if (keys->secret_len != of->secret_len)
		return -1;
	cx = EVP_KDF_CTX_new(all->kdf);
	keys->next = 0;
	if (cx && expand(cx, of, keys->secret, "key", keys->key, of->key_len) ==
			  0)
		result = expand(
			cx, of, keys->secret, "iv", keys->iv, TLS_RECORD_IV);
	EVP_KDF_CTX_free(cx); /* wipes the secret that it has copied */
	return result;
}

int tls_record_keys_update(const struct tls_record_algorithms *all,
	enum tls_record_suite suite, struct tls_record_keys *keys)
{
	const struct suite *of = &suites[suite];
	uint8_t next[TLS_RECORD_SECRET];
	EVP_KDF_CTX *cx = EVP_KDF_CTX_new(all->kdf);
	int result = -1;

	if (cx && expand(cx, of, keys->secret, "traffic upd", next,
			  of->secret_len) == 0) {
		memcpy(keys->secret, next, of->secret_len);
		result = tls_record_keys_begin(all, suite, keys);
	}
	OPENSSL_cleanse(next, sizeof(next));
	EVP_KDF_CTX_free(cx);
	return result;
}
