/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the trial handshakes that show what a context lacks. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <openssl/ssl.h>

#include "tls/tls_conn.h"
#include "tls/tls_selftest.h"

#define BIT(kind) (1U << (kind))

struct row {
	const char *wanted; /* signature types that clients offer; NULL: all */
	unsigned failed;
};

static const struct row rows[] = {
	{NULL, 0},
	{"ECDSA+SHA256:ECDSA+SHA384:ed25519:RSA-PSS+SHA256", 0},
	{"ECDSA+SHA256:ed25519:RSA-PSS+SHA256", BIT(TLS_KEY_P384)},
	{"ECDSA+SHA256:ECDSA+SHA384:RSA-PSS+SHA256", BIT(TLS_KEY_ED25519)},
	{"ECDSA+SHA256:ECDSA+SHA384:ed25519:RSA+SHA256", BIT(TLS_KEY_RSA)},
	/* With this list the handshake itself fails. */
	{"ECDSA+SHA384:ed25519:RSA-PSS+SHA256", TLS_KEY_ALL},
};

static int accept_any(X509_STORE_CTX *store, void *arg)
{
	(void)store;
	(void)arg;
	return 1;
}

static SSL_CTX *server_context(const char *wanted)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	assert_non_null(ctx);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, accept_any, NULL);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	assert_int_equal(SSL_CTX_set_num_tickets(ctx, 0), 1);
	tls_conn_prepare(ctx);
	if (wanted)
		assert_int_equal(
			SSL_CTX_set1_client_sigalgs_list(ctx, wanted), 1);
	return ctx;
}

static void test_what_lacks_is_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		SSL_CTX *ctx = server_context(rows[i].wanted);
		bool fit = false;

		assert_int_equal(
			tls_selftest_all(ctx, NULL, &fit), rows[i].failed);
		assert_int_equal(fit, rows[i].failed != TLS_KEY_ALL);
		SSL_CTX_free(ctx);
	}
}

static void test_one_version_is_not_enough(void **state)
{
	SSL_CTX *ctx = server_context(NULL);
	bool fit = true;

	(void)state;
	SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
	assert_int_equal(tls_selftest_all(ctx, NULL, &fit), TLS_KEY_ALL);
	assert_false(fit);
	SSL_CTX_set_max_proto_version(ctx, 0);
	SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
	assert_int_equal(tls_selftest_all(ctx, NULL, &fit), TLS_KEY_ALL);
	assert_false(fit);
	SSL_CTX_free(ctx);
}

/* The server has sent records that the record layer does not know of. */
static void test_tickets_are_noticed(void **state)
{
	SSL_CTX *ctx = server_context(NULL);
	bool fit = true;

	(void)state;
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER);
	assert_int_equal(SSL_CTX_set_session_id_context(
				 ctx, (const unsigned char *)"test", 4),
		1);
	assert_int_equal(SSL_CTX_set_num_tickets(ctx, 1), 1);
	assert_int_equal(tls_selftest_all(ctx, NULL, &fit), 0);
	assert_false(fit);
	SSL_CTX_free(ctx);
}

/* Nothing tells the secrets. */
static void test_secrets_are_needed(void **state)
{
	SSL_CTX *ctx = server_context(NULL);
	bool fit = true;

	(void)state;
	SSL_CTX_set_keylog_callback(ctx, NULL);
	assert_int_equal(tls_selftest_all(ctx, NULL, &fit), 0);
	assert_false(fit);
	SSL_CTX_free(ctx);
}

static void test_nothing_is_no_success(void **state)
{
	bool fit = true;

	(void)state;
	assert_int_equal(tls_selftest_run(NULL, &fit), TLS_KEY_ALL);
	assert_false(fit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_lacks_is_found),
		cmocka_unit_test(test_one_version_is_not_enough),
		cmocka_unit_test(test_tickets_are_noticed),
		cmocka_unit_test(test_secrets_are_needed),
		cmocka_unit_test(test_nothing_is_no_success),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
