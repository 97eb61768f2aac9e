/* SPDX-License-Identifier: MPL-2.0 */

/* Addresses that mean a different host on each machine. */

#include <netinet/in.h>
#include <string.h>

#include "nearness.h"

static enum nearness of_v4(const uint8_t bytes[4])
{
	if (bytes[0] == 127 || bytes[0] == 0)
		return NEAR_MACHINE;
	return bytes[0] == 169 && bytes[1] == 254 ? NEAR_LINK : NEAR_NOBODY;
}

static enum nearness of_v6(const struct in6_addr *address)
{
	if (IN6_IS_ADDR_V4MAPPED(address))
		return of_v4(address->s6_addr + 12);
	if (IN6_IS_ADDR_LOOPBACK(address) || IN6_IS_ADDR_UNSPECIFIED(address))
		return NEAR_MACHINE;
	return IN6_IS_ADDR_LINKLOCAL(address) ? NEAR_LINK : NEAR_NOBODY;
}

enum nearness nearness_of(const struct sockaddr *address)
{
	struct sockaddr_in6 v6;
	struct sockaddr_in v4;

	if (address->sa_family == AF_INET6) {
		memcpy(&v6, address, sizeof(v6));
		return of_v6(&v6.sin6_addr);
	}
	if (address->sa_family != AF_INET)
		return NEAR_NOBODY;
	memcpy(&v4, address, sizeof(v4));
	return of_v4((const uint8_t *)&v4.sin_addr);
}
