/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What TLS needs at a start, prepared on a thread of its own while modules are
 * looked for: the provider (tls_provider.h), a context, and handshakes that
 * show whether both work (tls_selftest.h).  Signatures that the handshakes do
 * not use are verified on the control thread, which would otherwise wait.
 *
 * If any of this fails, OpenSSL's default algorithms replace ours, and the log
 * and the metrics say so.  If those fail for some kinds of keys, too, devices
 * with such keys cannot connect; if they fail with the server's own key, the
 * server does not start.  All functions are [C].
 */
#ifndef TLS_START_H
#define TLS_START_H

#include <openssl/ssl.h>

#include <strelaysrv/err.h>

struct identity;

/* tls_start_finish() must follow. */
void tls_start_begin(void);
/* Waits until OpenSSL is set up.  0, or -1 with err: then no OpenSSL function
 * may be called. */
int tls_start_await(struct relay_err *err);
/* Lets the thread go on to the handshakes. */
void tls_start_selftest(void);
/* Instead: nothing is to be computed by the server's own algorithms, the
 * handshakes included. */
void tls_start_openssl(void);
/* The library context; NULL: OpenSSL's default. */
OSSL_LIB_CTX *tls_start_libctx(void);
/* The context, once, for tls_init(), which takes ownership.  NULL without
 * memory. */
SSL_CTX *tls_start_context(void);
/* Waits for the thread to end, and so for the handshakes.  Only after
 * tls_start_selftest() or tls_start_openssl(). */
void tls_start_join(void);
/*
 * After tls_init() and metrics_init(), before any peer is served: waits for the
 * handshakes.  If they failed, falls back to OpenSSL's algorithms, and reads
 * the identity again, whose files are in `dir`.  0, or -1 with err if no device
 * could connect.
 */
int tls_start_settle(
	struct identity *identity, const char *dir, struct relay_err *err);
/* After everything that was made with the contexts is freed. */
void tls_start_finish(void);

#endif
