/* SPDX-License-Identifier: MPL-2.0 */

/* The public IPv6 address of this machine. */

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/in6.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "global.h"
#include "shared/address_reach.h"

/* Any public address: only the route to it is used, and nothing is sent. */
#define ANYWHERE      "2000::1"
#define ANYWHERE_PORT 9

bool global_is_address(const struct in6_addr *address)
{
	return address_reach(address->s6_addr) == REACH_PUBLIC &&
	       !IN6_IS_ADDR_V4MAPPED(address);
}

bool global_is(const char *text)
{
	struct in6_addr address;

	return inet_pton(AF_INET6, text, &address) == 1 &&
	       global_is_address(&address);
}

/* 0, or an errno. */
static int ask_system(struct in6_addr *out)
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6,
				    .sin6_port = htons(ANYWHERE_PORT)},
			    from;
	socklen_t len = sizeof(from);
	int lasting = IPV6_PREFER_SRC_PUBLIC, error = 0;
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return errno;
	(void)inet_pton(AF_INET6, ANYWHERE, &to.sin6_addr);
	/* An old kernel may lack the option; then it chooses the address
	 * without it. */
	(void)setsockopt(fd, IPPROTO_IPV6, IPV6_ADDR_PREFERENCES, &lasting,
		sizeof(lasting));
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0 ||
		getsockname(fd, (struct sockaddr *)&from, &len) != 0)
		error = errno;
	else
		*out = from.sin6_addr;
	(void)close(fd);
	return error;
}

static bool has(const struct ifaddrs *entry, const struct in6_addr *address)
{
	struct sockaddr_in6 own;

	if (!entry->ifa_addr || entry->ifa_addr->sa_family != AF_INET6)
		return false;
	memcpy(&own, entry->ifa_addr, sizeof(own));
	return memcmp(&own.sin6_addr, address, sizeof(*address)) == 0;
}

static int find_interface(const struct in6_addr *address, char out[IF_NAMESIZE])
{
	struct ifaddrs *list, *at;

	out[0] = '\0';
	if (getifaddrs(&list) != 0)
		return -1;
	for (at = list; at && !has(at, address); at = at->ifa_next)
		;
	if (at)
		(void)snprintf(out, IF_NAMESIZE, "%s", at->ifa_name);
	freeifaddrs(list);
	return out[0] ? 0 : -1;
}

int global_find(const char *local, struct global *out, struct relay_err *err)
{
	struct in6_addr address;

	if (local[0] ? inet_pton(AF_INET6, local, &address) != 1
		     : ask_system(&address) != 0)
		return relay_fail(
			err, "there is no IPv6 route to the Internet");
	(void)inet_ntop(AF_INET6, &address, out->text, sizeof(out->text));
	if (!global_is_address(&address))
		return relay_fail(err, "%s is not a public address", out->text);
	if (find_interface(&address, out->interface) != 0)
		return relay_fail(
			err, "%s is not an address of this machine", out->text);
	return 0;
}
