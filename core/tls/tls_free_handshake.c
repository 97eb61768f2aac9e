/* SPDX-License-Identifier: MPL-2.0 */

/* Frees the certificate, session and settings after a handshake. */

#include <stdatomic.h>
#include <stddef.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "base/instance.h"
#include "tls/tls_free_handshake.h"
#include "tls/tls_state.h"

/* From this version on, SSL_set_session() compares other methods than those of
 * bare_of() and would start the handshake anew. */
#define REPLACED_END 0x30200000UL
/* Later versions may do something else when a session is decoded anew. */
#define KNOWN_END 0x30700000UL

static struct tls_free_handshake *self(void)
{
	return &instance->tls->compact;
}

void tls_free_handshake_init(OSSL_LIB_CTX *libctx)
{
	struct tls_free_handshake *compact = self();

	compact->libctx = libctx;
	if (OpenSSL_version_num() < REPLACED_END)
		compact->empty = SSL_SESSION_new();
}

bool tls_free_handshake_is_known(void)
{
	return OpenSSL_version_num() < KNOWN_END;
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

/*
 * The session holds the certificate.  An empty session replaces it, since
 * OpenSSL does not write without one.
 */
static void replace_session(SSL *ssl)
{
	SSL_CTX *bare = bare_of(ssl);

	if (bare && SSL_set_SSL_CTX(ssl, bare) == bare)
		SSL_set_session(ssl, self()->empty);
}

/* A session of the same cipher without a certificate, and with zeros for its
 * secret, in ASN.1.  Returns its length; the caller frees it. */
static int encode_empty(const SSL *ssl, unsigned char **der)
{
	static const unsigned char zeros[SSL_MAX_MASTER_KEY_LENGTH];
	SSL_SESSION *empty = SSL_SESSION_new();
	int len = 0;

	if (empty &&
		SSL_SESSION_set_cipher(empty, SSL_get_current_cipher(ssl)) ==
			1 &&
		SSL_SESSION_set_protocol_version(empty, SSL_version(ssl)) ==
			1 &&
		SSL_SESSION_set1_master_key(empty, zeros, sizeof(zeros)) == 1)
		len = i2d_SSL_SESSION(empty, der);
	SSL_SESSION_free(empty);
	return len;
}

/* Decoding into a session that exists replaces all that it holds. */
static void empty_session(SSL *ssl)
{
	SSL_SESSION *session = SSL_get_session(ssl);
	unsigned char *der = NULL;
	int len = encode_empty(ssl, &der);
	const unsigned char *at = der;

	if (session && len > 0)
		(void)d2i_SSL_SESSION(&session, &at, len);
	OPENSSL_free(der);
}

void tls_free_handshake(SSL *ssl)
{
	if (!tls_free_handshake_is_known() || SSL_is_init_finished(ssl) != 1)
		return;
	forget_keys(ssl);
	/* If this fails, the connection works as before, but stays larger. */
	if (self()->empty)
		replace_session(ssl);
	else
		empty_session(ssl);
	ERR_clear_error();
}
