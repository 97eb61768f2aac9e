/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What TLS needs at a start, made ready on a thread of its own while modules
 * are looked for: the provider (tls_provider.h), a context, and handshakes that
 * show whether both work (tls_rehearsal.h).  Signatures that these leave out
 * are verified on the control thread, which would wait otherwise.
 *
 * If they do not, OpenSSL's own algorithms take the place of ours; the log and
 * the metrics say so.  If those do not work either, the server does not start
 * where devices would find it deaf, since its own kind of key is among them.
 * All is [C].
 */
#ifndef TLS_START_H
#define TLS_START_H

#include <openssl/ssl.h>

#include <strelaysrv/err.h>

struct identity;

/* tls_start_finish() must follow. */
void tls_start_begin(void);
/* 0, or -1 with err: nothing of OpenSSL may be called. */
int tls_start_await(struct relay_err *err);
/* From now on handshakes are tried, too. */
void tls_start_rehearse(void);
/* NULL: OpenSSL's own. */
OSSL_LIB_CTX *tls_start_libctx(void);
/* For tls_init(), which takes it; once.  NULL: there is no memory. */
SSL_CTX *tls_start_context(void);
/* Waits for the handshakes, once they are wished for, and for the thread's end.
 */
void tls_start_join(void);
/*
 * After tls_init() and metrics_init(), before anybody is served: waits for the
 * handshakes.  The identity, whose files are in `dir`, may be read again.  0,
 * or -1 with err when the server would be deaf.
 */
int tls_start_settle(
	struct identity *identity, const char *dir, struct relay_err *err);
/* After all that was made with the contexts. */
void tls_start_finish(void);

#endif
