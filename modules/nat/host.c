/* SPDX-License-Identifier: MPL-2.0 */

/* Hosts of the local network, and which of them are gateways. */

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host.h"
#include "netlink.h"

#define LOOK_MS  50
#define ANY_PORT 9 /* discard: only the route to the host is used */

int host_read(const char *text, uint32_t scope, struct host *out)
{
	struct in_addr v4;

	*out = (struct host){.scope = 0};
	if (inet_pton(AF_INET, text, &v4) == 1) {
		out->address.s6_addr[10] = out->address.s6_addr[11] = 0xff;
		memcpy(out->address.s6_addr + 12, &v4, sizeof(v4));
		return 0;
	}
	if (inet_pton(AF_INET6, text, &out->address) != 1)
		return -1;
	if (IN6_IS_ADDR_LINKLOCAL(&out->address))
		out->scope = scope;
	return 0;
}

void host_text(const struct host *host, char out[HOST_TEXT])
{
	const void *bytes = &host->address;
	int family = AF_INET6;

	if (host_is_v4(host)) {
		bytes = host->address.s6_addr + 12;
		family = AF_INET;
	}
	if (!inet_ntop(family, bytes, out, HOST_TEXT))
		(void)snprintf(out, HOST_TEXT, "?");
}

void host_of(const struct sockaddr *addr, struct host *out)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	*out = (struct host){.scope = 0};
	if (addr->sa_family == AF_INET) {
		memcpy(&v4, addr, sizeof(v4));
		out->address.s6_addr[10] = out->address.s6_addr[11] = 0xff;
		memcpy(out->address.s6_addr + 12, &v4.sin_addr, 4);
		return;
	}
	memcpy(&v6, addr, sizeof(v6));
	out->address = v6.sin6_addr;
	if (IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr))
		out->scope = v6.sin6_scope_id;
}

bool host_is_v4(const struct host *host)
{
	return IN6_IS_ADDR_V4MAPPED(&host->address);
}

bool host_same(const struct host *a, const struct host *b)
{
	return memcmp(&a->address, &b->address, sizeof(a->address)) == 0 &&
	       (!a->scope || !b->scope || a->scope == b->scope);
}

socklen_t host_sockaddr(
	const struct host *host, uint16_t port, struct sockaddr_storage *out)
{
	struct sockaddr_in v4 = {
		.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6,
		.sin6_port = htons(port),
		.sin6_addr = host->address,
		.sin6_scope_id = host->scope};

	memset(out, 0, sizeof(*out));
	if (host_is_v4(host)) {
		memcpy(&v4.sin_addr, host->address.s6_addr + 12, 4);
		memcpy(out, &v4, sizeof(v4));
		return sizeof(v4);
	}
	memcpy(out, &v6, sizeof(v6));
	return sizeof(v6);
}

/* Gateways. */

struct routes {
	struct hosts *out;
	uint32_t metrics[HOSTS_MAX];
};

static void add_route(const struct netlink_route *route, void *arg)
{
	struct routes *routes = arg;
	struct hosts *out = routes->out;
	unsigned at = 0;

	while (at < out->count && routes->metrics[at] <= route->metric)
		at++;
	if (at == HOSTS_MAX)
		return;
	if (out->count < HOSTS_MAX)
		out->count++;
	for (unsigned i = out->count - 1; i > at; i--) {
		out->list[i] = out->list[i - 1];
		routes->metrics[i] = routes->metrics[i - 1];
	}
	out->list[at] = route->gateway;
	routes->metrics[at] = route->metric;
}

void host_gateways(int family, struct hosts *out)
{
	struct routes routes = {.out = out};

	out->count = 0;
	(void)netlink_default_routes(family, add_route, &routes);
}

/* Makes the kernel resolve the link-layer address, if it is unknown. */
static void call_on(const struct host *host)
{
	struct sockaddr_storage to;
	socklen_t len = host_sockaddr(host, ANY_PORT, &to);
	int fd = socket(
		to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return;
	/* The datagram itself is irrelevant. */
	(void)sendto(fd, "", 0, 0, (const struct sockaddr *)&to, len);
	(void)close(fd);
}

static bool same_link(
	const struct host *a, const struct host *b, unsigned *waits)
{
	uint8_t link_a[NETLINK_LINK], link_b[NETLINK_LINK];

	/* Each call on a stranger takes a place in the kernel's table. */
	if (*waits > 0) {
		call_on(a);
		call_on(b);
	}
	for (;;) {
		if (netlink_link_of(a, link_a) == 0 &&
			netlink_link_of(b, link_b) == 0)
			return memcmp(link_a, link_b, sizeof(link_a)) == 0;
		if (*waits == 0)
			return false;
		--*waits;
		(void)poll(NULL, 0, LOOK_MS);
	}
}

bool host_is_one_of(
	const struct host *host, const struct hosts *hosts, unsigned *waits)
{
	for (unsigned i = 0; i < hosts->count; i++)
		if (host_same(host, &hosts->list[i]))
			return true;
	for (unsigned i = 0; !host_is_v4(host) && i < hosts->count; i++)
		if (!host_is_v4(&hosts->list[i]) &&
			same_link(host, &hosts->list[i], waits))
			return true;
	return false;
}
