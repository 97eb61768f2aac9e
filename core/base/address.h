/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Addresses as Go writes them: "host:port", ":port", "[v6]:port".
 */
#ifndef ADDRESS_H
#define ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <strelaysrv/err.h>

#define ADDRESS_HOST_MAX 256 /* with its NUL, as below */
#define ADDRESS_PORT_MAX 32

/* The address families to listen on: values of the option `protocol`. */
enum core_protocol { CORE_TCP, CORE_TCP4, CORE_TCP6 };

/* The parts of an address, without brackets; the host may be "". */
struct address {
	char host[ADDRESS_HOST_MAX];
	char port[ADDRESS_PORT_MAX];
};

/* 0, or -1 with err, which says what is wrong and what to write.  Pure. */
int address_split(const char *text, struct address *out, struct relay_err *err);

/* Whether the text is an address with a host name, which has to be looked up.
 * Pure. */
bool address_has_name(const char *text);

/* Writes "host:port", with brackets if the host has a colon; truncates it to
 * fit into `cap` bytes. */
void address_join(const char *host, unsigned port, char *out, size_t cap);

/*
 * The address to listen on.  `protocol` is enum core_protocol.  Without a host:
 * CORE_TCP and CORE_TCP6 give [::], CORE_TCP4 0.0.0.0.  The caller clears
 * IPV6_V6ONLY for CORE_TCP and sets it for CORE_TCP6.  A host name is resolved
 * to its first IPv4 address if it has one and the protocol allows it, as in Go.
 * The port is 0 to 65535 or a name of services(5).  Resolving a name blocks.
 * [*] 0, or -1 with err.
 */
int address_resolve(const char *text, int64_t protocol,
	struct sockaddr_storage *out, socklen_t *len, struct relay_err *err);

/* The port in host byte order; 0 if it is not an IPv4 or IPv6 address. */
unsigned address_port(const struct sockaddr_storage *address);
/* Turns ::ffff:a.b.c.d, an IPv4 address on an IPv6 socket, into a.b.c.d. */
void address_unmap(struct sockaddr_storage *address);

#endif
