/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Listening sockets: bound while others still serve, and stopped without losing
 * the connections in their queues.
 */
#ifndef LISTEN_SOCKET_H
#define LISTEN_SOCKET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include <strelaysrv/err.h>

struct core_listener;

/* What one socket is bound to. */
struct listen_place {
	struct sockaddr_storage addr;
	socklen_t len;
	bool v6only; /* used for IPv6 only */
};

/* As address_resolve(): may block to resolve a name, see name_lookup.h.  0, or
 * -1 with err.  [*] */
int listen_place_resolve(const char *text, int64_t protocol,
	struct listen_place *out, struct relay_err *err);
/*
 * When `place` could not be bound: if `error` says that the machine has no IPv6
 * and `text` names no host, changes it to IPv4.  False: it was not changed.
 */
bool listen_place_fall_back(struct listen_place *place, const char *text,
	int64_t protocol, int error);

/* The next two functions are pure.  With port 0 the kernel chooses a free port,
 * so two such places are the same, but they never overlap. */
bool listen_place_same(
	const struct listen_place *a, const struct listen_place *b);
/* Whether both places have an address and port in common. */
bool listen_place_overlaps(
	const struct listen_place *a, const struct listen_place *b);

/*
 * Operators configure 0.0.0.0:P and [::]:P to get both families: then [::]
 * becomes IPv6 only, so that both can be bound.  ":P" alone means both families
 * already, and is not changed.
 */
void listen_places_pair(struct listen_place *places,
	const struct core_listener *listeners, unsigned count);

/* How messages call a configured address: as written, and the listener's name.
 * Returns out. */
#define LISTEN_TEXT 160
const char *listen_text(
	const struct core_listener *listener, char out[LISTEN_TEXT]);

/* Whether no socket is bound there, not even one with SO_REUSEPORT.  0, or an
 * errno. */
int listen_socket_probe(const struct listen_place *place);
/*
 * Binds a socket with SO_REUSEPORT, which does not listen yet, and sets the
 * real port in `place`.  A kernel may lack that option: then this is the only
 * socket of the place.  -1 with errno.
 */
int listen_socket_bind(struct listen_place *place);
/* Whether further sockets can be bound to the place of this one. */
bool listen_socket_shares(int fd);
/*
 * From now on the kernel drops new connections to the socket.  Those in its
 * queue, and those whose TCP handshake has begun, can still be accepted.
 */
void listen_socket_deafen(int fd);

/* What the operator can do about an errno of these functions, or "". */
const char *listen_socket_advice(int error);

#endif
