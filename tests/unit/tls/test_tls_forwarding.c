/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Functions that libssl does not use, but other users of libcrypto may:
 * signatures of a given digest, which OpenSSL's own code makes.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "tls/tls_provider.h"

#define DIGEST_LEN 32

static OSSL_LIB_CTX *ours;

static int set_up(void **state)
{
	(void)state;
	ours = tls_provider_take();
	return ours ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	tls_provider_give(ours);
	return 0;
}

static void a_digest_is_signed_and_verified(void **state)
{
	const unsigned char digest[DIGEST_LEN] = {1, 2, 3};
	const unsigned char other[DIGEST_LEN] = {1, 2, 4};
	unsigned char made[256];
	size_t len = sizeof(made);
	EVP_PKEY *key = EVP_PKEY_Q_keygen(ours, NULL, "EC", "P-384");
	EVP_PKEY_CTX *cx = EVP_PKEY_CTX_new_from_pkey(ours, key, NULL);

	(void)state;
	assert_int_equal(EVP_PKEY_sign_init(cx), 1);
	assert_int_equal(EVP_PKEY_sign(cx, made, &len, digest, DIGEST_LEN), 1);
	assert_int_equal(EVP_PKEY_verify_init(cx), 1);
	assert_int_equal(EVP_PKEY_verify(cx, made, len, digest, DIGEST_LEN), 1);
	assert_int_equal(EVP_PKEY_verify(cx, made, len, other, DIGEST_LEN), 0);
	EVP_PKEY_CTX_free(cx);
	EVP_PKEY_free(key);
}

static void parameters_are_those_of_openssl(void **state)
{
	char set[] = "SHA384", got[32] = "";
	OSSL_PARAM to[] = {OSSL_PARAM_construct_utf8_string(
				   OSSL_SIGNATURE_PARAM_DIGEST, set, 0),
		OSSL_PARAM_construct_end()};
	OSSL_PARAM from[] = {
		OSSL_PARAM_construct_utf8_string(
			OSSL_SIGNATURE_PARAM_DIGEST, got, sizeof(got)),
		OSSL_PARAM_construct_end()};
	EVP_PKEY *key = EVP_PKEY_Q_keygen(ours, NULL, "EC", "P-384");
	EVP_PKEY_CTX *cx = EVP_PKEY_CTX_new_from_pkey(ours, key, NULL);
	const OSSL_PARAM *names;

	(void)state;
	assert_int_equal(EVP_PKEY_sign_init(cx), 1);
	names = EVP_PKEY_CTX_settable_params(cx);
	assert_non_null(
		OSSL_PARAM_locate_const(names, OSSL_SIGNATURE_PARAM_DIGEST));
	names = EVP_PKEY_CTX_gettable_params(cx);
	assert_non_null(
		OSSL_PARAM_locate_const(names, OSSL_SIGNATURE_PARAM_DIGEST));
	assert_int_equal(EVP_PKEY_CTX_set_params(cx, to), 1);
	assert_int_equal(EVP_PKEY_CTX_get_params(cx, from), 1);
	assert_string_equal(got, "SHA2-384");
	EVP_PKEY_CTX_free(cx);
	EVP_PKEY_free(key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_digest_is_signed_and_verified),
		cmocka_unit_test(parameters_are_those_of_openssl),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
