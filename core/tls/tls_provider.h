/* SPDX-License-Identifier: MPL-2.0 */

/*
 * A library context of OpenSSL with its default algorithms, but only those
 * ciphers and keys that TLS needs here, one of which keeps less (tls_cipher.h),
 * only the decoders that certificates' keys need, and the kernel's random
 * numbers.
 *
 * OpenSSL 3.0 walks through all decoders there are, several times, for each
 * public key that a peer sends: that is a third of a handshake's instructions.
 * And it sets up all algorithms of a kind when the first one is used: with all
 * of them, that took longer than anything else at a start.  Its own context is
 * left alone but for openssl.cnf, which is read as ever.
 */
#ifndef TLS_PROVIDER_H
#define TLS_PROVIDER_H

#include <openssl/types.h>

/* The context; NULL, which is OpenSSL's own, where this does not work.  One
 * thread at a time; tls_provider_finish() must follow. */
OSSL_LIB_CTX *tls_provider_init(void);
/* After all that was made with the context. */
void tls_provider_finish(void);

#endif
