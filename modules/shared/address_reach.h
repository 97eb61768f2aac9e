/* SPDX-License-Identifier: MPL-2.0 */

/* address_reach.h - from where an IP address can be reached. */
#ifndef ADDRESS_REACH_H
#define ADDRESS_REACH_H

#include <stdint.h>

enum address_reach {
	REACH_PUBLIC,  /* from everywhere, unless a firewall blocks it */
	REACH_PRIVATE, /* from its own network: RFC 1918, 3927, 6598, 4193 */
	REACH_LINK,    /* IPv6 link-local: only with the zone of an interface */
	REACH_NOBODY,  /* loopback, multicast, reserved, unspecified */
};

/* Of 16 bytes; IPv4 as ::ffff:a.b.c.d. */
enum address_reach address_reach(const uint8_t bytes[16]);

#endif
