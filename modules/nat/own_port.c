/* SPDX-License-Identifier: MPL-2.0 */

/* The port of ours that a gateway must map. */

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "global.h"
#include "own_port.h"
#include "shared/own_listener.h"

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

static bool serves(struct relay_ctx *cx, int family,
	const struct sockaddr_storage *addr, struct keeper_conf *out)
{
	out->local[0] = '\0';
	return family == AF_INET6 ? serves_v6(addr, out)
				  : serves_v4(cx, addr, out);
}

bool own_port_find(struct relay_ctx *cx, int family, struct keeper_conf *out)
{
	struct sockaddr_storage addr;

	/* Through a port that is for proxies nobody is served. */
	if (!own_listener_serves_clients(cx))
		return false;
	for (unsigned i = 0; relay_listen_address(i, &addr) == 0; i++)
		if (serves(cx, family, &addr, out))
			return true;
	return false;
}

/* "HOST:PORT" with an IP address or without a host.  0 or -1. */
static int read_address(const char *text, struct sockaddr_storage *out)
{
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	const char *colon = strrchr(text, ':');
	char host[INET6_ADDRSTRLEN];
	size_t len = colon ? (size_t)(colon - text) : 0;

	if (!colon || len >= sizeof(host))
		return -1;
	if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
	}
	memcpy(host, text, len);
	host[len] = '\0';
	v4.sin_port = v6.sin6_port =
		htons((uint16_t)strtoul(colon + 1, NULL, 10));
	memset(out, 0, sizeof(*out));
	/* Without a host, both families are served, as [::] does. */
	if (len == 0 || inet_pton(AF_INET6, host, &v6.sin6_addr) == 1)
		memcpy(out, &v6, sizeof(v6));
	else if (inet_pton(AF_INET, host, &v4.sin_addr) == 1)
		memcpy(out, &v4, sizeof(v4));
	else
		return -1;
	return 0;
}

bool own_port_find_status(
	struct relay_ctx *cx, int family, struct keeper_conf *out)
{
	struct sockaddr_storage addr;

	return read_address(relay_status_text(), &addr) == 0 &&
	       serves(cx, family, &addr, out);
}
