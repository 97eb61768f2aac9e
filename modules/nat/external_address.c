/* SPDX-License-Identifier: MPL-2.0 */

/* Checks a gateway's external address. */

#include <arpa/inet.h>
#include <stddef.h>

#include "external_address.h"

/* Behind a second gateway, connections from outside do not arrive. */
static bool is_private(struct in_addr address)
{
	uint32_t a = ntohl(address.s_addr);

	return a >> 24 == 10 || a >> 20 == (172 << 4 | 1) ||
	       a >> 16 == (192 << 8 | 168) || a >> 22 == (100 << 2 | 1) ||
	       a >> 16 == (169 << 8 | 254);
}

/* Gateways report such values while they have no address. */
static bool is_nobody(struct in_addr address)
{
	uint32_t a = ntohl(address.s_addr);

	return a >> 24 == 0 || a >> 24 == 127 || a >> 28 >= 14;
}

bool external_address_is_usable(
	struct in_addr address, struct refusals *refusals)
{
	char text[INET_ADDRSTRLEN] = "?";

	(void)inet_ntop(AF_INET, &address, text, sizeof(text));
	if (is_private(address))
		(void)refuse(refusals, REFUSAL_ADDRESS, NULL,
			"%s is a private address: there is another gateway "
			"behind this one, which must map the port as well",
			text);
	else if (is_nobody(address))
		(void)refuse(refusals, REFUSAL_ADDRESS, NULL,
			"%s is not an address at which others can reach the "
			"gateway",
			text);
	else
		return true;
	return false;
}
