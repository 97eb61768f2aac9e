/* SPDX-License-Identifier: MPL-2.0 */

/*
 * A signature with the server's own key, before any peer is served.
 *
 * OpenSSL loads what a kind of key needs for signing when it first signs, and
 * remembers a failure.  The handshakes of tls_selftest.h sign with a P-256 key
 * only.
 */
#ifndef TLS_SELFTEST_SIGN_H
#define TLS_SELFTEST_SIGN_H

#include <openssl/evp.h>

/* Signs as a TLS 1.3 handshake does.  0 or -1.  `libctx` is the library context
 * of the key. */
int tls_selftest_sign(EVP_PKEY *key, OSSL_LIB_CTX *libctx);

#endif
