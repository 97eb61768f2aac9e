/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Frees what a TLS connection does not need after its handshake.
 *
 * OpenSSL keeps the peer's certificate, the session and the server's own
 * settings with every connection for as long as it lives: 5 of 18 KiB, or 11 of
 * 30 with OpenSSL 3.5.  A device that has joined sends a few bytes a minute for
 * days, and never resumes or renegotiates, so none of this is needed again.
 */
#ifndef TLS_FREE_HANDSHAKE_H
#define TLS_FREE_HANDSHAKE_H

#include <stdbool.h>

#include <openssl/ssl.h>

/* [C]  libctx: borrowed until tls_free_handshake_finish(); NULL: OpenSSL's
 * default. */
void tls_free_handshake_init(OSSL_LIB_CTX *libctx);
/* Whether the library's version is known to allow it. */
bool tls_free_handshake_is_known(void);
/* [C]  After the last connection. */
void tls_free_handshake_finish(void);
/*
 * [W]  After the handshake, and after the caller has read what it needs from
 * it.  Frees nothing if memory is short, or if the library's version is not
 * known to allow it.
 */
void tls_free_handshake(SSL *ssl);

#endif
