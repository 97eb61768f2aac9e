/* SPDX-License-Identifier: MPL-2.0 */

/*
 * One address that the server listens on: every worker has a socket for it
 * (SO_REUSEPORT).
 */
#ifndef LISTEN_ADDRESS_H
#define LISTEN_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <strelaysrv/err.h>

#include "net/listen_socket.h"
#include "peers/listener.h"

struct core_listener;
struct listener_tally;
struct proxy_trust;
struct worker;

struct listen_address {
	struct listen_place asked; /* as configured; its port may be 0 */
	struct listen_place bound;
	struct listener_facts *facts;      /* shared; NULL until it is bound */
	struct listener_facts *next_facts; /* shared; NULL: no others */
	int64_t limit;                     /* of the listener, once settled */
	struct listener *at; /* owned array: one for each worker, or more */
	unsigned count;
	unsigned workers; /* the i-th socket belongs to worker i % workers */
	bool open;        /* in service: connections may be in its queues */
	bool wanted;      /* it is in the staged set */
};

/* [C]  With `count` listeners that have no socket yet.  NULL without memory. */
struct listen_address *listen_address_make(
	const struct listen_place *asked, unsigned count);
/* [C]  Closes its sockets.  Accepts NULL. */
void listen_address_free(struct listen_address *one);

/*
 * [C]  Takes the inherited sockets of this address, or binds new ones.  `text`:
 * the address as configured; `shares`: sockets of this server that are about to
 * be closed may be bound to it.  0, or -1 with err.
 */
int listen_address_bind(struct listen_address *one, const char *text,
	int64_t protocol, bool shares, struct relay_err *err);
/* [C]  Gives one more socket to the next worker in turn.  0 or -1. */
int listen_address_add(struct listen_address *one, int fd);
/*
 * [C]  Tells its listeners, and those that are added later, the address that it
 * is bound to, its name and options, and who is trusted; takes over `trust`.
 * `conf` NULL: it has none; `tally` NULL: that of the address, or a new one. If
 * it is open, only listen_address_switch() on each worker and
 * listen_address_settle() do so.  0, or -1 without memory.
 */
int listen_address_tell(struct listen_address *one, struct proxy_trust *trust,
	const struct core_listener *conf, struct listener_tally *tally);
/* Own thread. */
void listen_address_switch(
	struct listen_address *one, const struct worker *worker);
/* [C]  Afterwards; or instead, with `taken` false. */
void listen_address_settle(struct listen_address *one, bool taken);

/*
 * Own thread.  Calls fn for the worker's own sockets of this address, until it
 * returns other than 0.  Returns 0, or -1 if it did.
 */
int listen_address_each(struct listen_address *one, const struct worker *worker,
	int (*fn)(struct listener *));

/* Writes the address that it is bound to, with its port. */
void listen_address_text(
	const struct listen_address *one, char *out, size_t cap);

#endif
