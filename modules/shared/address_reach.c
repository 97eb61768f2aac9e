/* SPDX-License-Identifier: MPL-2.0 */

/* From where an IP address can be reached. */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "shared/address_reach.h"

static enum address_reach reach_of_v4(uint32_t a)
{
	if (a >> 24 == 10 || a >> 20 == (172 << 4 | 1) ||
		a >> 16 == (192 << 8 | 168) || a >> 22 == (100 << 2 | 1) ||
		a >> 16 == (169 << 8 | 254))
		return REACH_PRIVATE;
	return a >> 24 == 0 || a >> 24 == 127 || a >> 28 >= 14 ? REACH_NOBODY
							       : REACH_PUBLIC;
}

enum address_reach address_reach(const uint8_t bytes[16])
{
	struct in6_addr v6;
	uint32_t v4;

	memcpy(&v6, bytes, sizeof(v6));
	if (IN6_IS_ADDR_V4MAPPED(&v6)) {
		memcpy(&v4, bytes + 12, sizeof(v4));
		return reach_of_v4(ntohl(v4));
	}
	if (bytes[0] >> 5 == 1) /* 2000::/3 */
		return REACH_PUBLIC;
	if (IN6_IS_ADDR_LINKLOCAL(&v6))
		return REACH_LINK;
	return bytes[0] >> 1 == 0xfc >> 1 ? REACH_PRIVATE : REACH_NOBODY;
}
