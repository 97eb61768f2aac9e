/* SPDX-License-Identifier: MPL-2.0 */

/*
 * wire.h - a connection that never blocks, perhaps in TLS.
 *
 * What is added to wire_out() during one turn of the loop is sent by one call.
 */
#ifndef REDIS_WIRE_H
#define REDIS_WIRE_H

#include <stdbool.h>
#include <sys/socket.h>

#include <strelaysrv/err.h>

#include "cluster/redis/bytes.h"
#include "cluster/redis/tls.h"

struct event;
struct event_base;

/* The most that is queued in each direction. */
#define WIRE_MOST (8 * 1024 * 1024)

struct wire_calls {
	/* Commands can be added. */
	void (*opened)(void *arg);
	/* There is more in `in`. */
	void (*came)(void *arg);
	/* It is closed. */
	void (*ended)(void *arg, const char *why);
};

struct wire {
	int fd; /* -1: closed */
	bool connected, opened;
	struct event *reads, *writes; /* owned */
	struct tls tls;
	struct bytes in, out, sealed; /* `sealed` is `out` in TLS */
	const struct wire_calls *calls;
	void *arg;
	unsigned turn; /* changes when it is closed */
};

/* Before anything else; a wire of zeros is not closed. */
void wire_init(struct wire *wire, const struct wire_calls *calls, void *arg);
/* `context` NULL: without TLS; `host` as in tls_begin().  Calls nothing.  -1
 * with err. */
int wire_open(struct wire *wire, struct event_base *base,
	const struct sockaddr *to, socklen_t len, struct ssl_ctx_st *context,
	const char *host, struct relay_err *err);
/* Sends `out` soon. */
void wire_send(struct wire *wire);
/* Sends what can be sent now.  Calls nothing. */
void wire_flush(struct wire *wire);
/* Calls nothing. */
void wire_close(struct wire *wire);

static inline bool wire_is_open(const struct wire *wire)
{
	return wire->fd >= 0 && wire->opened;
}

#endif
