/* SPDX-License-Identifier: MPL-2.0 */

/* The listen address that others are told of. */

#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

#include <strelaysrv/listener.h>
#include <strelaysrv/server.h>

#include "shared/own_listener.h"

/* [::] also serves IPv4. */
static bool fits(const struct sockaddr_storage *address, int family)
{
	struct sockaddr_in6 v6;

	if (address->ss_family != AF_INET6)
		return family != AF_INET6;
	memcpy(&v6, address, sizeof(v6));
	return !IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr) &&
	       (family != AF_INET || IN6_IS_ADDR_UNSPECIFIED(&v6.sin6_addr));
}

bool own_listener_is_loopback(const struct sockaddr_storage *address)
{
	struct sockaddr_in6 v6;
	struct sockaddr_in v4;

	if (address->ss_family == AF_INET6) {
		memcpy(&v6, address, sizeof(v6));
		return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr);
	}
	memcpy(&v4, address, sizeof(v4));
	return ntohl(v4.sin_addr.s_addr) >> 24 == 127;
}

static int find(int family, bool loopback, struct sockaddr_storage *out)
{
	for (unsigned i = 0; relay_listen_address(i, out) == 0; i++)
		if (fits(out, family) &&
			own_listener_is_loopback(out) == loopback)
			return (int)i;
	return -1;
}

int own_listener_find(int family, struct sockaddr_storage *out)
{
	int at = find(family, false, out);

	return at < 0 ? find(family, true, out) : at;
}

static void look(const struct relay_listener *info, void *arg)
{
	bool *found = arg;

	*found |= !info->for_proxies && !info->protocol[0];
}

bool own_listener_serves_clients(struct relay_ctx *cx)
{
	bool found = false;

	relay_listeners_visit(cx, look, &found);
	return found;
}
