/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Limits on what a peer may make OpenSSL compute: key exchange, key shares,
 * certificates.
 *
 * A peer can send all of it at no cost, again and again.  tests/bench/README.md
 * has the cost of each choice.
 */
#ifndef TLS_LIMITS_H
#define TLS_LIMITS_H

#include <openssl/ssl.h>

/* [C]  Sets the limits for connections made from this context.  0 or -1. */
int tls_limits_set(SSL_CTX *ctx);

#endif
