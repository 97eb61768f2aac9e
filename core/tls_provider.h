/* SPDX-License-Identifier: MPL-2.0 */

/*
 * A library context of OpenSSL with its default algorithms, but only the
 * decoders that certificates' keys need.
 *
 * OpenSSL 3.0 walks through all decoders there are, several times, for each
 * public key that a peer sends: that is a third of a handshake's instructions.
 */
#ifndef TLS_PROVIDER_H
#define TLS_PROVIDER_H

#include <openssl/types.h>

/* [C]  The context; NULL, which is OpenSSL's own, where this does not work. */
OSSL_LIB_CTX *tls_provider_init(void);
/* After all that was made with the context. */
void tls_provider_finish(void);

#endif
