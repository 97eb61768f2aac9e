/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Addresses as Go writes them: "host:port", ":port", "[v6]:port".
 */
#ifndef ADDRESS_H
#define ADDRESS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <strelaysrv/err.h>

#define ADDRESS_HOST_MAX 256 /* with its NUL, as below */
#define ADDRESS_PORT_MAX 32

/* Which families to listen on: the option `protocol`. */
enum core_protocol { CORE_TCP, CORE_TCP4, CORE_TCP6 };

/* The parts, without brackets; the host may be "". */
struct address {
	char host[ADDRESS_HOST_MAX];
	char port[ADDRESS_PORT_MAX];
};

/* 0, or -1 with err saying what is wrong and what would be right.  Pure. */
int address_split(const char *text, struct address *out, struct relay_err *err);

/* "host:port" with brackets where needed; cut to fit. */
void address_join(const char *host, unsigned port, char *out, size_t cap);

/*
 * The address to listen on.  `protocol` is enum core_protocol.  Without a host:
 * CORE_TCP and CORE_TCP6 give [::], CORE_TCP4 0.0.0.0.  The caller clears
 * IPV6_V6ONLY for CORE_TCP and sets it for CORE_TCP6.  Names give their first
 * IPv4 address unless the protocol forbids it, as Go does.  Ports are 0 to
 * 65535 or a name of services(5).  [C], since a name blocks.  0, or -1 with
 * err.
 */
int address_resolve(const char *text, int64_t protocol,
	struct sockaddr_storage *out, socklen_t *len, struct relay_err *err);

/* The port in host order; 0 for what is no internet address. */
unsigned address_port(const struct sockaddr_storage *address);

#endif
