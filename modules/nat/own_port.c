/* SPDX-License-Identifier: MPL-2.0 */

/* The port of ours that a gateway must map. */

#include <arpa/inet.h>
#include <string.h>

#include "global.h"
#include "own_port.h"

static bool only_v6(struct relay_ctx *cx)
{
	struct relay_value protocol;

	return relay_option_get(cx, NULL, "protocol", &protocol) == 0 &&
	       strcmp(protocol.string, "tcp6") == 0;
}

/* Whether it accepts IPv4 connections from other hosts. */
static bool serves_v4(struct relay_ctx *cx, const struct sockaddr_storage *addr,
	struct keeper_conf *out)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (addr->ss_family == AF_INET6) {
		memcpy(&v6, addr, sizeof(v6));
		out->port = ntohs(v6.sin6_port);
		return IN6_IS_ADDR_UNSPECIFIED(&v6.sin6_addr) && !only_v6(cx);
	}
	memcpy(&v4, addr, sizeof(v4));
	out->port = ntohs(v4.sin_port);
	if (v4.sin_addr.s_addr != htonl(INADDR_ANY))
		(void)inet_ntop(
			AF_INET, &v4.sin_addr, out->local, sizeof(out->local));
	return ntohl(v4.sin_addr.s_addr) >> 24 != 127;
}

static bool serves_v6(
	const struct sockaddr_storage *addr, struct keeper_conf *out)
{
	struct sockaddr_in6 v6;

	if (addr->ss_family != AF_INET6)
		return false;
	memcpy(&v6, addr, sizeof(v6));
	out->port = ntohs(v6.sin6_port);
	if (IN6_IS_ADDR_UNSPECIFIED(&v6.sin6_addr))
		return true;
	(void)inet_ntop(
		AF_INET6, &v6.sin6_addr, out->local, sizeof(out->local));
	return global_is_address(&v6.sin6_addr);
}

bool own_port_find(struct relay_ctx *cx, int family, struct keeper_conf *out)
{
	struct sockaddr_storage addr;

	for (unsigned i = 0; relay_listen_address(i, &addr) == 0; i++) {
		out->local[0] = '\0';
		if (family == AF_INET6 ? serves_v6(&addr, out)
				       : serves_v4(cx, &addr, out))
			return true;
	}
	return false;
}
