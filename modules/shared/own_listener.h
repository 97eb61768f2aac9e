/* SPDX-License-Identifier: MPL-2.0 */

/* own_listener.h - the listen address that others are told of. */
#ifndef OWN_LISTENER_H
#define OWN_LISTENER_H

#include <stdbool.h>
#include <sys/socket.h>

struct relay_ctx;

/*
 * The first listen address of `family` (AF_UNSPEC: of any) that means something
 * on other machines: an IPv6 link-local address does not, and loopback is only
 * taken if there is no other.  [C]  Returns i of relay_listen_address(), or -1
 * if there is none.
 */
int own_listener_find(int family, struct sockaddr_storage *out);
/* Whether it is such an address, from which no other machine can be reached. */
bool own_listener_is_loopback(const struct sockaddr_storage *address);
/* Whether any address is told to clients: it is neither for proxies alone nor
 * for one protocol.  [C] */
bool own_listener_serves_clients(struct relay_ctx *cx);

#endif
