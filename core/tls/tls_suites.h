/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The cipher suites of a context.  OpenSSL silently leaves out a suite when it
 * cannot load one of its algorithms, even when only memory was short.
 */
#ifndef TLS_SUITES_H
#define TLS_SUITES_H

#include <stdbool.h>

#include <openssl/ssl.h>

/*
 * Whether the context has every suite whose algorithms the library can load.  A
 * suite that is missing because the library has no such algorithm, as in FIPS
 * mode, is not a fault.
 */
bool tls_suites_complete(SSL_CTX *ctx, OSSL_LIB_CTX *libctx);

#endif
