/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of our algorithms in OpenSSL when allocations fail. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "tls/tls_provider.h"

static OSSL_LIB_CTX *ours;
/* Allocations before the first that fails; all later ones fail, too. 0: none
 * fails. */
static int64_t left;

static bool fails(void)
{
	if (left == 0)
		return false;
	if (left > 1) {
		left--;
		return false;
	}
	return true;
}

static void *take(size_t len, const char *file, int line)
{
	(void)file;
	(void)line;
	return fails() ? NULL : malloc(len);
}

static void *resize(void *at, size_t len, const char *file, int line)
{
	(void)file;
	(void)line;
	return fails() ? NULL : realloc(at, len);
}

static void give(void *at, const char *file, int line)
{
	(void)file;
	(void)line;
	free(at);
}

static EVP_PKEY *key;

/* Signs, and copies the context halfway. */
static bool sign(void)
{
	unsigned char out[256];
	size_t len = sizeof(out);
	EVP_MD_CTX *cx = EVP_MD_CTX_new(), *copy = EVP_MD_CTX_new();
	bool good = cx && copy &&
		    EVP_DigestSignInit_ex(
			    cx, NULL, "SHA384", ours, NULL, key, NULL) == 1 &&
		    EVP_DigestSignUpdate(cx, "one ", 4) == 1 &&
		    EVP_MD_CTX_copy_ex(copy, cx) == 1 &&
		    EVP_DigestSignUpdate(copy, "text", 4) == 1 &&
		    EVP_DigestSignFinal(copy, out, &len) == 1 &&
		    EVP_DigestSignFinal(cx, NULL, &len) == 1;

	EVP_MD_CTX_free(copy);
	EVP_MD_CTX_free(cx);
	return good;
}

static bool verify(void)
{
	static const unsigned char none[] = {0x30, 6, 2, 1, 1, 2, 1, 1};
	EVP_MD_CTX *cx = EVP_MD_CTX_new(), *copy = EVP_MD_CTX_new();
	bool good = cx && copy &&
		    EVP_DigestVerifyInit_ex(
			    cx, NULL, "SHA384", ours, NULL, key, NULL) == 1 &&
		    EVP_DigestVerifyUpdate(cx, "text", 4) == 1 &&
		    EVP_MD_CTX_copy_ex(copy, cx) == 1 &&
		    EVP_DigestVerifyFinal(copy, none, sizeof(none)) == 0;

	EVP_MD_CTX_free(copy);
	EVP_MD_CTX_free(cx);
	return good;
}

static bool seal(void)
{
	static const unsigned char secret[32] = {1}, nonce[12] = {2};
	unsigned char out[64], tag[16];
	int len;
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(ours, "ChaCha20-Poly1305", NULL);
	EVP_CIPHER_CTX *cx = EVP_CIPHER_CTX_new();
	EVP_CIPHER_CTX *copy = EVP_CIPHER_CTX_new();
	bool good =
		cipher && cx && copy &&
		EVP_EncryptInit_ex2(cx, cipher, secret, nonce, NULL) == 1 &&
		EVP_EncryptUpdate(cx, NULL, &len, secret, 5) == 1 &&
		EVP_CIPHER_CTX_copy(copy, cx) == 1 &&
		EVP_EncryptUpdate(copy, out, &len, nonce, 12) == 1 &&
		EVP_EncryptFinal_ex(copy, out, &len) == 1 &&
		EVP_CIPHER_CTX_ctrl(copy, EVP_CTRL_AEAD_GET_TAG, 16, tag) == 1;

	EVP_CIPHER_CTX_free(copy);
	EVP_CIPHER_CTX_free(cx);
	EVP_CIPHER_free(cipher);
	return good;
}

/* Whichever allocation fails first, the result is an error, and the next try
 * succeeds. */
static void each_fails_once(bool (*work)(void))
{
	bool done = false;
	int64_t failed = 0;

	assert_true(work());
	for (int64_t at = 1; !done; at++) {
		assert_in_range(at, 1, 10000);
		left = at;
		done = work();
		failed += !done;
		left = 0;
		ERR_clear_error();
		assert_true(work());
	}
	assert_in_range(failed, 3, 10000);
}

static void signing_without_memory_is_an_error(void **state)
{
	(void)state;
	each_fails_once(sign);
}

static void verifying_without_memory_is_an_error(void **state)
{
	(void)state;
	each_fails_once(verify);
}

static void sealing_without_memory_is_an_error(void **state)
{
	(void)state;
	each_fails_once(seal);
}

static int set_up(void **state)
{
	(void)state;
	ours = tls_provider_take();
	key = EVP_PKEY_Q_keygen(ours, NULL, "EC", "P-384");
	return ours && key ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	EVP_PKEY_free(key);
	tls_provider_give(ours);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signing_without_memory_is_an_error),
		cmocka_unit_test(verifying_without_memory_is_an_error),
		cmocka_unit_test(sealing_without_memory_is_an_error),
	};

	/* Before OpenSSL allocates anything. */
	if (CRYPTO_set_mem_functions(take, resize, give) != 1)
		return 1;
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
