/* SPDX-License-Identifier: MPL-2.0 */

/* tls.h - TLS between two queues of bytes; touches no socket. */
#ifndef REDIS_TLS_H
#define REDIS_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <strelaysrv/err.h>

#include "cluster/redis/bytes.h"

struct ssl_ctx_st;
struct ssl_st;

struct tls {
	struct ssl_st *ssl; /* owned; NULL: there is no TLS */
	bool open;          /* the handshake is over */
};

/* With the certificates of the system if ca_file is NULL.  NULL with err. */
struct ssl_ctx_st *tls_context(const char *ca_file, struct relay_err *err);
void tls_context_free(struct ssl_ctx_st *context);

/* The certificate must be for `host`, a name or an address; NULL: for anything,
 * as on a Unix socket.  -1: no memory. */
int tls_begin(struct tls *tls, struct ssl_ctx_st *context, const char *host);
/* Bytes from the socket.  -1: no memory. */
int tls_received(struct tls *tls, const uint8_t *bytes, size_t len);
/*
 * Goes on as far as possible: continues the handshake, adds what has come to
 * `in`, and to `sealed` what is to be sent, with all of `out` as soon as the
 * handshake is over.  -1 with err.
 */
int tls_step(struct tls *tls, struct bytes *in, struct bytes *out,
	struct bytes *sealed, size_t most, struct relay_err *err);
void tls_end(struct tls *tls);

#endif
