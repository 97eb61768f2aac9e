/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What a peer may make OpenSSL compute: key exchange, key shares, certificates.
 *
 * All of it is for free to who sends it, and may be sent again and again.  What
 * each choice costs is in tests/bench/README.md.
 */
#ifndef TLS_LIMITS_H
#define TLS_LIMITS_H

#include <openssl/ssl.h>

/* [C]  For connections made from this context.  0 or -1. */
int tls_limits_set(SSL_CTX *ctx);

#endif
