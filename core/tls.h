/* SPDX-License-Identifier: MPL-2.0 */

/*
 * TLS for peers: one context for all workers, and connections on it.
 */
#ifndef TLS_H
#define TLS_H

#include <openssl/ssl.h>

#include <strelaysrv/err.h>

struct identity;

/*
 * [C]  Holds its own references to what identity owns, which lives in that
 * context.  0 or -1.
 */
int tls_init(OSSL_LIB_CTX *libctx, const struct identity *identity,
	struct relay_err *err);
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
/* A server-side connection on the socket; NULL without memory.  [W] */
SSL *tls_accept(int fd);
/*
 * After the handshake: the peer's device ID, how many certificates it sent (2:
 * more than one); then lets go of what only the handshake needed.  [W]
 */
unsigned tls_take_peer(SSL *ssl, uint8_t id[32]);

#endif
