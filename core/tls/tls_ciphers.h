/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The cipher suites of a context.  OpenSSL leaves a suite out, without an
 * error, when it cannot load one of its algorithms, also for want of memory.
 */
#ifndef TLS_CIPHERS_H
#define TLS_CIPHERS_H

#include <stdbool.h>

#include <openssl/ssl.h>

/*
 * Whether the context has every suite whose algorithms the library has.  One
 * without an algorithm, as in FIPS mode, is no fault.
 */
bool tls_ciphers_complete(SSL_CTX *ctx, OSSL_LIB_CTX *libctx);

#endif
