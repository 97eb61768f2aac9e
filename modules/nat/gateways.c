/* SPDX-License-Identifier: MPL-2.0 */

/* Which hosts of the local network are gateways. */

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateways.h"
#include "netlink.h"

#define LOOK_MS  50
#define ANY_PORT 9 /* discard: only the route to the host is used */

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

void gateways_read(int family, struct hosts *out)
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

	/* Each unknown host that is resolved adds an entry to the kernel's
	 * neighbour table. */
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

bool gateways_include(
	const struct hosts *gateways, const struct host *host, unsigned *waits)
{
	for (unsigned i = 0; i < gateways->count; i++)
		if (host_same(host, &gateways->list[i]))
			return true;
	for (unsigned i = 0; !host_is_v4(host) && i < gateways->count; i++)
		if (!host_is_v4(&gateways->list[i]) &&
			same_link(host, &gateways->list[i], waits))
			return true;
	return false;
}
