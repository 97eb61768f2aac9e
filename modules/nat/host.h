/* SPDX-License-Identifier: MPL-2.0 */

/*
 * host.h - addresses of hosts.
 */
#ifndef HOST_H
#define HOST_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#define HOSTS_MAX 8
#define HOST_TEXT 64 /* enough for an address */

/* IPv4 is stored as ::ffff:a.b.c.d; the port is not used. */
struct host {
	struct in6_addr address;
	uint32_t scope; /* the interface of a link-local address; 0: any */
};

struct hosts {
	struct host list[HOSTS_MAX];
	unsigned count;
};

/* Parses an address without brackets or port.  0 or -1. */
int host_read(const char *text, uint32_t scope, struct host *out);
void host_text(const struct host *host, char out[HOST_TEXT]);
void host_of(const struct sockaddr *addr, struct host *out);
bool host_is_v4(const struct host *host);
bool host_same(const struct host *a, const struct host *b);
/* Fills in its IPv4 or IPv6 sockaddr; returns the length. */
socklen_t host_sockaddr(
	const struct host *host, uint16_t port, struct sockaddr_storage *out);

#endif
