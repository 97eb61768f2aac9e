/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of what TLS connections free after the handshake, and of the smaller
 * library context. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "tls/tls_provider.h"
#include "tls/tls_free_handshake.h"
#include "tls/tls_state.h"

#define STEPS_MOST 20
/* Versions before this one have another way to free a session. */
#define DECODES_FROM 0x30200000UL
#define HYBRID       "X25519MLKEM768" /* from OpenSSL 3.5 on */

struct row {
	int version;
	const char *key; /* the key of both certificates */
	const char *group;
	const char *suite; /* NULL: OpenSSL's default */
};

static const struct row rows[] = {
	{TLS1_3_VERSION, "P-256", "X25519", NULL},
	{TLS1_3_VERSION, "P-256", "X25519", "TLS_CHACHA20_POLY1305_SHA256"},
	{TLS1_3_VERSION, "P-384", "P-256", NULL},
	{TLS1_3_VERSION, "ED25519", "P-521", NULL},
	{TLS1_3_VERSION, "RSA", "X448", NULL},
	{TLS1_3_VERSION, "P-256", HYBRID, NULL},
	{TLS1_2_VERSION, "P-256", "X25519:P-256", NULL},
	{TLS1_2_VERSION, "P-256", "X25519:P-256",
		"ECDHE-ECDSA-CHACHA20-POLY1305"},
	{TLS1_2_VERSION, "RSA", "P-384", NULL},
};

struct sides {
	SSL *server, *client;
};

/* Bytes that OpenSSL holds, and about what malloc() adds to each block. */
static size_t held;
#define MALLOCS_OWN 16

union block {
	size_t len;
	max_align_t aligned;
};

static void *take(size_t len, const char *file, int line)
{
	union block *block = malloc(sizeof(*block) + len);

	(void)file;
	(void)line;
	if (!block)
		return NULL;
	block->len = len;
	held += len + MALLOCS_OWN;
	return block + 1;
}

static void give(void *at, const char *file, int line)
{
	union block *block = at;

	(void)file;
	(void)line;
	if (!block)
		return;
	held -= block[-1].len + MALLOCS_OWN;
	free(block - 1);
}

static void *resize(void *at, size_t len, const char *file, int line)
{
	void *to = take(len, file, line);
	size_t before = at ? ((union block *)at)[-1].len : 0;

	if (!to)
		return NULL;
	if (at)
		memcpy(to, at, before < len ? before : len);
	give(at, file, line);
	return to;
}

static int accept_any(X509_STORE_CTX *store, void *arg)
{
	(void)store;
	(void)arg;
	return 1;
}

static EVP_PKEY *new_key(const char *kind)
{
	if (strcmp(kind, "RSA") == 0)
		return EVP_RSA_gen(2048);
	if (strcmp(kind, "ED25519") == 0)
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	return EVP_EC_gen(kind);
}

#define KINDS 4

/* One of each kind: keys for RSA take long on slow machines. */
static struct {
	const char *kind;
	EVP_PKEY *key; /* owned */
} made[KINDS];

static EVP_PKEY *make_key(const char *kind)
{
	size_t i = 0;

	while (made[i].kind && strcmp(made[i].kind, kind) != 0)
		assert_true(++i < KINDS);
	if (!made[i].kind) {
		made[i].kind = kind;
		made[i].key = new_key(kind);
	}
	assert_int_equal(EVP_PKEY_up_ref(made[i].key), 1);
	return made[i].key;
}

static X509 *make_certificate(EVP_PKEY *key, const char *kind)
{
	X509 *cert = X509_new();
	const EVP_MD *digest =
		strcmp(kind, "ED25519") == 0 ? NULL : EVP_sha256();

	assert_non_null(cert);
	assert_int_equal(X509_set_version(cert, X509_VERSION_3), 1);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(cert), 1), 1);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(cert), 0));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(cert), 3600));
	assert_int_equal(X509_set_pubkey(cert, key), 1);
	assert_true(X509_sign(cert, key, digest) > 0);
	return cert;
}

static SSL_CTX *make_context(
	OSSL_LIB_CTX *libctx, const SSL_METHOD *method, const struct row *row)
{
	SSL_CTX *ctx = SSL_CTX_new_ex(libctx, NULL, method);
	EVP_PKEY *key = make_key(row->key);
	X509 *cert = make_certificate(key, row->key);

	assert_non_null(ctx);
	assert_int_equal(SSL_CTX_use_certificate(ctx, cert), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, key), 1);
	assert_int_equal(SSL_CTX_set_max_proto_version(ctx, row->version), 1);
	assert_int_equal(SSL_CTX_set1_groups_list(ctx, row->group), 1);
	if (row->suite)
		assert_int_equal((row->version == TLS1_3_VERSION
						 ? SSL_CTX_set_ciphersuites
						 : SSL_CTX_set_cipher_list)(
					 ctx, row->suite),
			1);
	assert_int_equal(SSL_CTX_set_num_tickets(ctx, 0), 1);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, accept_any, NULL);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	X509_free(cert);
	EVP_PKEY_free(key);
	return ctx;
}

static struct sides connect_sides(OSSL_LIB_CTX *libctx, const struct row *row)
{
	SSL_CTX *serving = make_context(libctx, TLS_server_method(), row);
	SSL_CTX *asking = make_context(NULL, TLS_client_method(), row);
	struct sides sides = {SSL_new(serving), SSL_new(asking)};
	BIO *a, *b;

	assert_int_equal(BIO_new_bio_pair(&a, 0, &b, 0), 1);
	SSL_set_bio(sides.server, a, a);
	SSL_set_bio(sides.client, b, b);
	SSL_set_accept_state(sides.server);
	SSL_set_connect_state(sides.client);
	for (int i = 0; i < STEPS_MOST; i++) {
		(void)SSL_do_handshake(sides.client);
		(void)SSL_do_handshake(sides.server);
	}
	assert_true(SSL_is_init_finished(sides.server));
	assert_true(SSL_is_init_finished(sides.client));
	SSL_CTX_free(serving);
	SSL_CTX_free(asking);
	return sides;
}

static void passes(SSL *from, SSL *to)
{
	char got[16];

	assert_int_equal(SSL_write(from, "hello", 5), 5);
	assert_int_equal(SSL_read(to, got, sizeof(got)), 5);
	assert_memory_equal(got, "hello", 5);
}

/* Key updates (RFC 8446, 4.6.3), requested by either side. */
static void renew_keys(struct sides *sides)
{
	SSL *both[] = {sides->client, sides->server};

	for (int i = 0; i < 2; i++) {
		assert_int_equal(
			SSL_key_update(both[i], SSL_KEY_UPDATE_REQUESTED), 1);
		passes(both[i], both[!i]);
		passes(both[!i], both[i]);
	}
}

static void close_sides(struct sides *sides)
{
	char got;

	assert_int_equal(SSL_shutdown(sides->server), 0);
	assert_int_equal(SSL_read(sides->client, &got, 1), 0);
	assert_int_equal(
		SSL_get_error(sides->client, 0), SSL_ERROR_ZERO_RETURN);
	SSL_free(sides->server);
	SSL_free(sides->client);
}

static void talks_after_forgetting(OSSL_LIB_CTX *libctx, const struct row *row)
{
	struct sides sides = connect_sides(libctx, row);

	assert_non_null(SSL_get0_peer_certificate(sides.server));
	tls_free_handshake(sides.server);
	assert_null(SSL_get0_peer_certificate(sides.server));
	for (int i = 0; i < 3; i++) {
		passes(sides.client, sides.server);
		passes(sides.server, sides.client);
	}
	if (row->version == TLS1_3_VERSION)
		renew_keys(&sides);
	close_sides(&sides);
}

static bool library_has(const char *group)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	bool has = SSL_CTX_set1_groups_list(ctx, group) == 1;

	SSL_CTX_free(ctx);
	ERR_clear_error();
	return has;
}

static void all_talk_after_forgetting(OSSL_LIB_CTX *libctx)
{
	tls_free_handshake_init(libctx);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (library_has(rows[i].group))
			talks_after_forgetting(libctx, &rows[i]);
	tls_free_handshake_finish();
}

/* 0: the true one. */
static unsigned long pretended;

unsigned long __real_OpenSSL_version_num(void);
unsigned long __wrap_OpenSSL_version_num(void);

unsigned long __wrap_OpenSSL_version_num(void)
{
	return pretended ? pretended : __real_OpenSSL_version_num();
}

/* What is done with later versions works with earlier ones, too. */
static void settled_connections_talk_with_later_versions(void **state)
{
	(void)state;
	if (OpenSSL_version_num() < DECODES_FROM)
		pretended = DECODES_FROM;
	all_talk_after_forgetting(NULL);
	pretended = 0;
}

static void settled_connections_talk(void **state)
{
	(void)state;
	all_talk_after_forgetting(NULL);
}

static void every_key_is_known_to_the_lean_context(void **state)
{
	OSSL_LIB_CTX *libctx = tls_provider_take();

	(void)state;
	assert_non_null(libctx);
	all_talk_after_forgetting(libctx);
	tls_provider_give(libctx);
}

/* Bytes of a connection in the server's library context after it has forgotten
 * its handshake. */
static size_t held_by(OSSL_LIB_CTX *libctx, const struct row *row)
{
	struct sides sides = connect_sides(libctx, row);
	SSL_CTX *ctx = SSL_get_SSL_CTX(sides.server);
	BIO *bio = SSL_get_rbio(sides.server);
	size_t all;

	/* They are not the connection's. */
	assert_int_equal(SSL_CTX_up_ref(ctx), 1);
	assert_int_equal(BIO_up_ref(bio), 1);
	tls_free_handshake(sides.server);
	passes(sides.client, sides.server);
	passes(sides.server, sides.client);
	all = held;
	SSL_free(sides.server);
	all -= held;
	SSL_free(sides.client);
	SSL_CTX_free(ctx);
	BIO_free(bio);
	return all;
}

/*
 * A cipher is largest on s390x, with a block for its instructions.
 * From 3.2 on, two record layers of 4.4 KiB and a connection of 5.6 KiB remain,
 * and a session of 1 KiB, which cannot be shared.
 */
static size_t most_held(const struct row *row)
{
	bool is_chacha = row->suite && strstr(row->suite, "CHACHA20");

	if (OpenSSL_version_num() < DECODES_FROM)
		return is_chacha ? 11000 : 13200;
	return is_chacha ? 19600 : 21700;
}

static void little_is_held(void **state)
{
	OSSL_LIB_CTX *libctx = tls_provider_take();

	(void)state;
	tls_free_handshake_init(libctx);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (library_has(rows[i].group))
			assert_in_range(held_by(libctx, &rows[i]), 1000,
				most_held(&rows[i]));
	tls_free_handshake_finish();
	tls_provider_give(libctx);
}

static void nothing_is_forgotten_too_early(void **state)
{
	SSL_CTX *ctx = make_context(NULL, TLS_server_method(), &rows[0]);
	SSL *ssl = SSL_new(ctx);

	(void)state;
	assert_non_null(ssl);
	tls_free_handshake_init(NULL);
	SSL_set_accept_state(ssl);
	tls_free_handshake(ssl);
	assert_ptr_equal(SSL_get_SSL_CTX(ssl), ctx);
	tls_free_handshake_finish();
	SSL_free(ssl);
	SSL_CTX_free(ctx);
}

static void a_peer_that_misbehaves_afterwards_is_cut_off(void **state)
{
	struct sides sides = connect_sides(NULL, &rows[0]);
	char got[16];

	(void)state;
	tls_free_handshake_init(NULL);
	tls_free_handshake(sides.server);
	assert_int_equal(BIO_write(SSL_get_wbio(sides.client),
				 "\x17\x03\x03\x00\x12junkjunkjunkjunkjj", 23),
		23);
	assert_int_equal(SSL_read(sides.server, got, sizeof(got)), -1);
	assert_int_equal(SSL_get_error(sides.server, -1), SSL_ERROR_SSL);
	SSL_free(sides.server);
	SSL_free(sides.client);
	tls_free_handshake_finish();
}

static int set_up(void **state)
{
	(void)state;
	return tls_create();
}

static int tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < KINDS; i++)
		EVP_PKEY_free(made[i].key);
	tls_destroy();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(settled_connections_talk),
		cmocka_unit_test(settled_connections_talk_with_later_versions),
		cmocka_unit_test(every_key_is_known_to_the_lean_context),
		cmocka_unit_test(little_is_held),
		cmocka_unit_test(nothing_is_forgotten_too_early),
		cmocka_unit_test(a_peer_that_misbehaves_afterwards_is_cut_off),
	};

	if (CRYPTO_set_mem_functions(take, resize, give) != 1)
		return 1;
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
