/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What a TLS connection may forget once its handshake is over.
 *
 * OpenSSL keeps the peer's certificate, the agreed session and the server's
 * own settings with every connection for as long as it lives: 5 of 18 KiB.
 * A device that has joined says a few bytes a minute for days, never resumes
 * and never renegotiates, so none of it is asked for again.
 */
#ifndef TLS_SETTLE_H
#define TLS_SETTLE_H

#include <openssl/ssl.h>

/* [C]  libctx: borrowed until tls_settle_finish(); NULL: OpenSSL's own. */
void tls_settle_init(OSSL_LIB_CTX *libctx);
/* [C]  After the last connection. */
void tls_settle_finish(void);
/*
 * [W]  After the handshake, and after what was to be read from it.  Where the
 * library is not known to allow it, or memory is short, nothing is forgotten.
 */
void tls_settle(SSL *ssl);

#endif
