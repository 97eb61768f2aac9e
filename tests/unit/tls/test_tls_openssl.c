/* SPDX-License-Identifier: MPL-2.0 */

/* A start that is to use only OpenSSL's algorithms. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/provider.h>

#include "base/instance.h"
#include "tls/tls_start.h"
#include "tls/tls_state.h"

/* The provider of an algorithm as connections find it. */
static void check_cipher(OSSL_LIB_CTX *libctx, const char *name, bool ours)
{
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(libctx, name, NULL);

	assert_non_null(cipher);
	assert_int_equal(strcmp(OSSL_PROVIDER_get0_name(
					EVP_CIPHER_get0_provider(cipher)),
				 "default") != 0,
		ours);
	EVP_CIPHER_free(cipher);
}

static void start(bool openssl)
{
	struct relay_err err;
	SSL_CTX *ctx;

	assert_int_equal(tls_create(), 0);
	tls_start_begin();
	assert_int_equal(tls_start_await(&err), 0);
	if (openssl)
		tls_start_openssl();
	else
		tls_start_selftest();
	check_cipher(tls_start_libctx(), "ChaCha20-Poly1305", !openssl);
	ctx = tls_start_context();
	assert_non_null(ctx);
	tls_start_join();
	/* Nothing was tried with ours. */
	assert_int_equal(instance->tls->starting.selftests, !openssl);
	SSL_CTX_free(ctx);
	tls_start_finish();
	tls_destroy();
}

static void own_algorithms_are_the_default(void **state)
{
	(void)state;
	start(false);
}

static void with_openssl_none_of_them_is_used(void **state)
{
	(void)state;
	start(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_algorithms_are_the_default),
		cmocka_unit_test(with_openssl_none_of_them_is_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
