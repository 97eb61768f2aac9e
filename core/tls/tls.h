/* SPDX-License-Identifier: MPL-2.0 */

/*
 * TLS for peers: one context for all workers, and connections on it.
 */
#ifndef TLS_H
#define TLS_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/bio.h>
#include <openssl/ssl.h>

#include <strelaysrv/err.h>

struct identity;

/* A server's context with all that is ours but an identity; any thread.  NULL
 * without memory, or where OpenSSL lacks something. */
SSL_CTX *tls_context_new(OSSL_LIB_CTX *libctx);
/*
 * [C]  Holds its own references to what identity owns, which lives in that
 * context, as does ctx, which is taken also on an error; NULL is one.  0 or -1.
 */
int tls_init(OSSL_LIB_CTX *libctx, SSL_CTX *ctx,
	const struct identity *identity, struct relay_err *err);
/* [C]  The same in OpenSSL's own context, before anybody is served; names of
 * protocols stay. */
int tls_begin_anew(
	SSL_CTX *ctx, const struct identity *identity, struct relay_err *err);
/* [C]  Whether handshakes with the identity work: 0 or -1. */
int tls_try(void);
void tls_finish(void);
/*
 * [C]  The same identity with another chain, for connections to come: made,
 * then forgotten or taken; the old one is released once all workers have passed
 * a quiet point. tls_stage: 0 or -1.
 */
int tls_stage(const struct identity *identity, struct relay_err *err);
void tls_abandon(void);
void tls_take(void);
void tls_release(void);
/* [C]  Before the first connection.  0 or -1 without memory or over 255. */
int tls_alpn_add(const char *name);
/*
 * A worker's way to sockets: all its connections share it, since one at a time
 * is served.  NULL without memory; the caller frees it with BIO_free, before
 * or after the connections.
 */
BIO *tls_io_new(void);
/* [W]  Before every call that may read from this connection or write to it. */
void tls_io_at(BIO *io, int fd);
/* A server-side connection; NULL without memory.  [W] */
SSL *tls_accept(BIO *io);
/*
 * Whether it has sent a HelloRetryRequest and has not seen the second
 * ClientHello.  [W]
 */
bool tls_awaits_hello(SSL *ssl);
/*
 * After the handshake: the peer's device ID, how many certificates it sent (2:
 * more than one); then lets go of what only the handshake needed.  [W]
 */
unsigned tls_take_peer(SSL *ssl, uint8_t id[32]);

#endif
