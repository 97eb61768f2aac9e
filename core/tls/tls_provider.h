/* SPDX-License-Identifier: MPL-2.0 */

/*
 * An OpenSSL library context with the default provider's algorithms, but only
 * the ciphers and key types that TLS needs here, and the decoders that
 * certificates' keys need.  One of the ciphers holds less memory
 * (tls_chacha.h), and ECDSA on P-384 is faster (tls_ecdsa.h).
 *
 * For each public key that a peer sends, OpenSSL 3.0 searches all decoders
 * several times, which is a third of a handshake's instructions.  And it sets
 * up all algorithms of a kind when the first one is used, which took longer
 * than anything else at a start.  Of OpenSSL's default context, only the random
 * generator is changed; it reads openssl.cnf as usual.
 */
#ifndef TLS_PROVIDER_H
#define TLS_PROVIDER_H

#include <openssl/types.h>

/* Returns the context, which all servers of the process share; NULL if this
 * does not work here: then OpenSSL's default one is to be used.  Any thread. */
OSSL_LIB_CTX *tls_provider_take(void);
/* Releases a reference of tls_provider_take(), after everything that was made
 * with it is freed.  The last release frees the context. */
void tls_provider_give(OSSL_LIB_CTX *libctx);

#endif
