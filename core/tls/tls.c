/* SPDX-License-Identifier: MPL-2.0 */

/* TLS for peers: a peer is identified by its certificate's hash, not by names
 * and CAs. */

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/instance.h"
#include "tls/identity.h"
#include "tls/tls.h"
#include "tls/tls_conn.h"
#include "tls/tls_suites.h"
#include "tls/tls_limits.h"
#include "tls/tls_selftest.h"
#include "tls/tls_state.h"

/* Only ECDHE, for forward secrecy; AES-CBC for clients that do not know GCM. */
#define SUITES                                                                 \
	"ECDHE+CHACHA20:ECDHE+AESGCM:"                                         \
	"ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:"                         \
	"ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA"
#define TLS13_SUITES                                                           \
	"TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:"                 \
	"TLS_AES_256_GCM_SHA384"

static struct tls_contexts *self(void)
{
	return &instance->tls->contexts;
}

static int choose_alpn(SSL *ssl, const unsigned char **out,
	unsigned char *out_len, const unsigned char *in, unsigned in_len,
	void *arg)
{
	struct tls_contexts *tls = self();
	unsigned char *chosen;

	(void)ssl;
	(void)arg;
	if (!tls->alpn_len)
		return SSL_TLSEXT_ERR_NOACK;
	if (SSL_select_next_proto(&chosen, out_len, tls->alpn, tls->alpn_len,
		    in, in_len) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

int tls_alpn_add(const char *name)
{
	struct tls_contexts *tls = self();
	size_t len = strlen(name);

	if (len == 0 || len > 255 || tls->alpn_len + 1 + len > TLS_ALPN_MOST)
		return -1;
	tls->alpn[tls->alpn_len] = (unsigned char)len;
	memcpy(tls->alpn + tls->alpn_len + 1, name, len);
	tls->alpn_len += 1 + (unsigned)len;
	return 0;
}

/* Only the first certificate of cert.pem: peers accept exactly one. */
static int use_identity(SSL_CTX *ctx, const struct identity *identity)
{
	return SSL_CTX_use_certificate(ctx, identity->cert) == 1 &&
			       SSL_CTX_use_PrivateKey(ctx, identity->key) == 1
		       ? 0
		       : -1;
}

static int set_options(SSL_CTX *ctx)
{
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
					 SSL_OP_NO_COMPRESSION |
					 SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	/* Idle connections keep no buffers. */
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS |
				      SSL_MODE_ENABLE_PARTIAL_WRITE |
				      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	/* With automatic retry, a stream of KeyUpdates would keep one
	 * SSL_read() busy for ever. */
	SSL_CTX_clear_mode(ctx, SSL_MODE_AUTO_RETRY);
	/* All messages sent are short, so the buffer need not have 16 KiB. */
	SSL_CTX_set_max_send_fragment(ctx, 2048);
	SSL_CTX_set_alpn_select_cb(ctx, choose_alpn, NULL);
	tls_conn_prepare(ctx);
	/* The system's policy may refuse the keys of old devices. */
	SSL_CTX_set_security_level(ctx, 1);
	return SSL_CTX_set_num_tickets(ctx, 0) == 1 &&
			       SSL_CTX_set_min_proto_version(
				       ctx, TLS1_2_VERSION) == 1 &&
			       SSL_CTX_set_cipher_list(ctx, SUITES) == 1 &&
			       SSL_CTX_set_ciphersuites(ctx, TLS13_SUITES) ==
				       1 &&
			       tls_limits_set(ctx) == 0
		       ? 0
		       : -1;
}

SSL_CTX *tls_context_new(OSSL_LIB_CTX *libctx)
{
	SSL_CTX *ctx = SSL_CTX_new_ex(libctx, NULL, TLS_server_method());

	if (ctx && set_options(ctx) == 0 && tls_suites_complete(ctx, libctx))
		return ctx;
	SSL_CTX_free(ctx);
	return NULL;
}

/* Gives ctx the identity.  Takes ownership of ctx, which may be NULL. */
static SSL_CTX *identify(
	SSL_CTX *ctx, const struct identity *identity, struct relay_err *err)
{
	/* OpenSSL hashes certificates in the default library context, not in
	 * the one that they belong to. */
	OSSL_LIB_CTX *before = OSSL_LIB_CTX_set0_default(self()->libctx);
	bool good = ctx && use_identity(ctx, identity) == 0;

	OSSL_LIB_CTX_set0_default(before);
	if (good)
		return ctx;
	relay_fail(err, "cannot set up TLS: %s",
		ERR_reason_error_string(ERR_peek_error()));
	SSL_CTX_free(ctx);
	return NULL;
}

int tls_init(OSSL_LIB_CTX *libctx, SSL_CTX *ctx,
	const struct identity *identity, struct relay_err *err)
{
	struct tls_contexts *tls = self();

	tls->libctx = libctx;
	tls->ctx = identify(ctx, identity, err);
	tls->sha256 = EVP_MD_fetch(libctx, "SHA2-256", NULL);
	if (!tls->sha256)
		relay_fail(err, "OpenSSL has no SHA2-256");
	if (tls->ctx && tls->sha256)
		return 0;
	tls_finish();
	return -1;
}

int tls_begin_anew(
	SSL_CTX *ctx, const struct identity *identity, struct relay_err *err)
{
	struct tls_contexts *tls = self();
	unsigned char alpn[TLS_ALPN_MOST];
	unsigned alpn_len = tls->alpn_len;

	memcpy(alpn, tls->alpn, sizeof(alpn));
	tls_finish();
	if (tls_init(NULL, ctx, identity, err) != 0)
		return -1;
	memcpy(tls->alpn, alpn, sizeof(alpn));
	tls->alpn_len = alpn_len;
	return 0;
}

int tls_try(void)
{
	struct tls_contexts *tls = self();

	return tls_selftest_own(tls->ctx, tls->libctx);
}

void tls_finish(void)
{
	struct tls_contexts *tls = self();

	SSL_CTX_free(tls->ctx);
	EVP_MD_free(tls->sha256);
	tls_record_algorithms_finish(&tls->records);
	memset(tls, 0, sizeof(*tls));
}

int tls_detach(void)
{
	struct tls_contexts *tls = self();

	return tls_record_algorithms_init(&tls->records, tls->libctx);
}
