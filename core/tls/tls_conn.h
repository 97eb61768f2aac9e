/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The TLS of one connection: OpenSSL's for the handshake, and afterwards for
 * TLS 1.2.
 *
 * After a handshake of TLS 1.3 the connection is detached from OpenSSL, which
 * would hold 11 to 30 KiB for as long as it lives; a device that has joined
 * sends a few bytes a minute for days.  All that is needed to go on is public:
 * the secrets (SSL_CTX_set_keylog_callback()) and the numbers of the records,
 * which are 0, since the server has sent no ticket and has read nothing.  All
 * functions are [W] unless they say otherwise.
 */
#ifndef TLS_CONN_H
#define TLS_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/bio.h>
#include <openssl/ssl.h>

#include "tls/tls_result.h"

struct tls_conn;

enum tls_handshake {
	TLS_HANDSHAKE_DONE,
	TLS_HANDSHAKE_WAITS,
	TLS_HANDSHAKE_FAILED,
};

/*
 * A BIO for a worker's sockets.  All its connections share it, since a worker
 * serves one at a time.  NULL without memory.  The caller frees it with
 * BIO_free(), before or after the connections.
 */
BIO *tls_io_new(void);
/* [C]  Lets connections of the context note their secrets. */
void tls_conn_prepare(SSL_CTX *ctx);
/* A server-side connection; NULL without memory. */
struct tls_conn *tls_conn_accept(BIO *io);
/* Wipes its secrets.  Accepts NULL. */
void tls_conn_free(struct tls_conn *tls);
/* Takes a step of the handshake.  If it fails, *error is that of
 * SSL_get_error(), and OpenSSL's error queue says more. */
enum tls_handshake tls_conn_handshake(struct tls_conn *tls, int fd, int *error);
/* Whether the server has sent a HelloRetryRequest on this connection and waits
 * for the second ClientHello. */
bool tls_conn_awaits_hello(const struct tls_conn *tls);
/*
 * After the handshake, before anything is read or written: gets the peer's
 * device ID, and detaches the connection from OpenSSL if that is possible.
 * Returns how many certificates the peer sent; 2 stands for more than one, and
 * then id is not set.
 */
unsigned tls_conn_take_peer(struct tls_conn *tls, uint8_t id[32]);
bool tls_conn_is_detached(const struct tls_conn *tls);

/* Reads at most one record.  TLS_DONE: *got bytes of data. */
enum tls_result tls_conn_read(
	struct tls_conn *tls, int fd, void *buf, size_t len, size_t *got);
/* TLS_DONE: *put bytes were sent.  The others must be repeated before any new
 * ones. */
enum tls_result tls_conn_write(
	struct tls_conn *tls, int fd, const void *buf, size_t len, size_t *put);
/* Sends close_notify if the socket takes it now. */
void tls_conn_close(struct tls_conn *tls, int fd);

#endif
