/* SPDX-License-Identifier: MPL-2.0 */

/* Tests that a context without one of its suites is detected. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tls/tls_suites.h"

#define ALL                                                                    \
	"ECDHE+CHACHA20:ECDHE+AESGCM:ECDHE-ECDSA-AES128-SHA:"                  \
	"ECDHE-ECDSA-AES256-SHA"
#define ALL13                                                                  \
	"TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:"                 \
	"TLS_AES_256_GCM_SHA384"

static bool complete(const char *tls12, const char *tls13)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	bool result;

	assert_non_null(ctx);
	SSL_CTX_set_security_level(ctx, 1);
	assert_int_equal(SSL_CTX_set_cipher_list(ctx, tls12), 1);
	assert_int_equal(SSL_CTX_set_ciphersuites(ctx, tls13), 1);
	result = tls_suites_complete(ctx, NULL);
	SSL_CTX_free(ctx);
	return result;
}

static void a_whole_context_is_complete(void **state)
{
	(void)state;
	assert_true(complete(ALL, ALL13));
}

static void a_missing_suite_is_found(void **state)
{
	(void)state;
	assert_false(complete(ALL, "TLS_AES_128_GCM_SHA256"));
	assert_false(complete("ECDHE+AESGCM", ALL13));
	assert_false(complete("ECDHE+CHACHA20:ECDHE+AESGCM", ALL13));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_context_is_complete),
		cmocka_unit_test(a_missing_suite_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
