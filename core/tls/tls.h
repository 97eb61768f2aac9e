/* SPDX-License-Identifier: MPL-2.0 */

/*
 * TLS for peers: one context (SSL_CTX) for all workers, and their connections.
 */
#ifndef TLS_H
#define TLS_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/bio.h>
#include <openssl/ssl.h>

#include <strelaysrv/err.h>

struct identity;

/* Makes a server's context with all our settings but no identity.  Any thread.
 * NULL if memory runs out or OpenSSL lacks an algorithm. */
SSL_CTX *tls_context_new(OSSL_LIB_CTX *libctx);
/*
 * [C]  Puts ctx into service with the identity.  libctx is the library context
 * of both; it is borrowed.  Takes its own references to what identity owns, and
 * takes ownership of ctx even on an error; a NULL ctx is an error.  0, or -1
 * with err.
 */
int tls_init(OSSL_LIB_CTX *libctx, SSL_CTX *ctx,
	const struct identity *identity, struct relay_err *err);
/* [C] Replaces what tls_init() has put into service by a context of OpenSSL's
 * default library context, before any peer is served.  ALPN names stay. */
int tls_begin_anew(
	SSL_CTX *ctx, const struct identity *identity, struct relay_err *err);
/* [C]  Tries handshakes with the server's own certificate.  0, or -1 if one
 * fails. */
int tls_try(void);
void tls_finish(void);
/* [C]  Adds an ALPN name of 1 to 255 bytes, before the first connection.  0, or
 * -1 if there is no room for it. */
int tls_alpn_add(const char *name);
/*
 * A BIO for a worker's sockets.  All its connections share it, since a worker
 * serves one at a time.  NULL without memory.  The caller frees it with
 * BIO_free(), before or after the connections.
 */
BIO *tls_io_new(void);
/* [W]  Sets the socket, before every call that may read from a connection or
 * write to it. */
void tls_io_at(BIO *io, int fd);
/* A server-side connection; NULL without memory.  [W] */
SSL *tls_accept(BIO *io);
/* [W]  Whether the server has sent a HelloRetryRequest on this connection and
 * waits for the second ClientHello. */
bool tls_awaits_hello(SSL *ssl);
/*
 * [W]  After the handshake: gets the peer's device ID, and frees what only the
 * handshake needed.  Returns how many certificates the peer sent; 2 stands for
 * more than one, and then id is not set.
 */
unsigned tls_take_peer(SSL *ssl, uint8_t id[32]);

#endif
