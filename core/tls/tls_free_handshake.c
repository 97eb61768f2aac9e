/* SPDX-License-Identifier: MPL-2.0 */

/* Frees the certificate, session and settings after a handshake. */

#include <stdatomic.h>
#include <stddef.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "base/instance.h"
#include "tls/tls_free_handshake.h"
#include "tls/tls_state.h"

/* From 3.2 on, SSL_set_session() compares other methods than these and would
 * start the handshake anew.  So with these versions nothing is freed. */
#define LIBRARY_END 0x30200000UL

static struct tls_free_handshake *self(void)
{
	return &instance->tls->compact;
}

void tls_free_handshake_init(OSSL_LIB_CTX *libctx)
{
	struct tls_free_handshake *compact = self();

	compact->libctx = libctx;
	if (OpenSSL_version_num() < LIBRARY_END)
		compact->empty = SSL_SESSION_new();
}

void tls_free_handshake_finish(void)
{
	struct tls_free_handshake *compact = self();

	for (size_t i = 0; i < TLS_BARES; i++)
		SSL_CTX_free(atomic_exchange(&compact->bare[i], NULL));
	SSL_SESSION_free(compact->empty);
	compact->empty = NULL;
}

/* An empty context of the negotiated version's method: with another method,
 * SSL_set_session() would start the handshake anew. */
static SSL_CTX *bare_of(const SSL *ssl)
{
	struct tls_free_handshake *compact = self();
	_Atomic(SSL_CTX *) *place =
		&compact->bare[SSL_version(ssl) == TLS1_3_VERSION
				       ? TLS_BARE_13
				       : TLS_BARE_12];
	SSL_CTX *ctx = atomic_load(place), *before = NULL;

	if (ctx)
		return ctx;
	ctx = SSL_CTX_new_ex(compact->libctx, NULL, SSL_get_ssl_method(ssl));
	if (!ctx || atomic_compare_exchange_strong(place, &before, ctx))
		return ctx;
	SSL_CTX_free(ctx); /* another worker was faster */
	return before;
}

/* A TLS 1.3 connection keeps the keys of the key exchange.  It owns the
 * EVP_PKEY objects; setting another type frees their content. */
static void forget_key(EVP_PKEY *key)
{
	EVP_PKEY_set_type(key, EVP_PKEY_X25519);
	EVP_PKEY_free(key);
}

static void forget_keys(SSL *ssl)
{
	EVP_PKEY *own, *peer;

	if (SSL_get_tmp_key(ssl, &own) == 1)
		forget_key(own);
	if (SSL_get_peer_tmp_key(ssl, &peer) == 1)
		forget_key(peer);
}

void tls_free_handshake(SSL *ssl)
{
	struct tls_free_handshake *compact = self();
	SSL_CTX *bare;

	if (!compact->empty || SSL_is_init_finished(ssl) != 1)
		return;
	forget_keys(ssl);
	bare = bare_of(ssl);
	/*
	 * The session holds the certificate.  An empty session replaces it,
	 * since OpenSSL does not write without one.  If this fails, the
	 * connection works as before, but stays larger.
	 */
	if (bare && SSL_set_SSL_CTX(ssl, bare) == bare)
		SSL_set_session(ssl, compact->empty);
	ERR_clear_error();
}
