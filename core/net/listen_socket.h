/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Listening sockets: bound beside those that serve, and ended without losing
 * who waits in their queues.
 */
#ifndef LISTEN_SOCKET_H
#define LISTEN_SOCKET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include <strelaysrv/err.h>

/* What one socket is bound to. */
struct listen_place {
	struct sockaddr_storage addr;
	socklen_t len;
	bool v6only; /* means something for IPv6 only */
};

/* [C], since names block.  As address_resolve().  0, or -1 with err. */
int listen_place_resolve(const char *text, int64_t protocol,
	struct listen_place *out, struct relay_err *err);
/*
 * The place to try after `error` for one: IPv4 alone, on a machine that lacks
 * IPv6.  False: there is none.
 */
bool listen_place_fall_back(struct listen_place *place, const char *text,
	int64_t protocol, int error);

/* Pure.  A port of 0 is like itself, and overlaps with nothing. */
bool listen_place_same(
	const struct listen_place *a, const struct listen_place *b);
/* Whether some address and port belongs to both. */
bool listen_place_overlaps(
	const struct listen_place *a, const struct listen_place *b);

/* Whether no socket has it, not even one that would share.  0 or an errno. */
int listen_socket_probe(const struct listen_place *place);
/*
 * A socket that shares its place (SO_REUSEPORT) and does not listen yet; place
 * then tells the real port.  -1 with errno.
 */
int listen_socket_bind(struct listen_place *place);
/*
 * From here on the socket hears of no new connection; those in its queue, and
 * those that are half-way there, can still be accepted.
 */
void listen_socket_deafen(int fd);

/* What the operator can do about an errno of those above. */
const char *listen_socket_advice(int error);

#endif
