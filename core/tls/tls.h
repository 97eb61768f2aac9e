/* SPDX-License-Identifier: MPL-2.0 */

/*
 * TLS for peers: one context (SSL_CTX) for all workers.
 */
#ifndef TLS_H
#define TLS_H

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
/* [C]  From now on connections are detached from OpenSSL after a handshake of
 * TLS 1.3 (tls_conn.h).  0, or -1 if an algorithm is missing or memory is
 * short: then they stay with OpenSSL. */
int tls_detach(void);

#endif
