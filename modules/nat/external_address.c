/* SPDX-License-Identifier: MPL-2.0 */

/* Checks a gateway's external address. */

#include <arpa/inet.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "external_address.h"
#include "shared/address_reach.h"

bool external_address_is_usable(
	struct in_addr address, struct refusals *refusals)
{
	uint8_t bytes[16] = {[10] = 0xff, [11] = 0xff};
	char text[INET_ADDRSTRLEN] = "?";
	enum address_reach reach;

	memcpy(bytes + 12, &address, sizeof(address));
	reach = address_reach(bytes);
	(void)inet_ntop(AF_INET, &address, text, sizeof(text));
	/* Behind a second gateway, connections from outside do not arrive. */
	if (reach == REACH_PRIVATE)
		(void)refuse(refusals, REFUSAL_ADDRESS, NULL,
			"%s is a private address: there is another gateway "
			"behind this one, which must map the port as well",
			text);
	/* Gateways report such values while they have no address. */
	else if (reach == REACH_NOBODY)
		(void)refuse(refusals, REFUSAL_ADDRESS, NULL,
			"%s is not an address at which others can reach the "
			"gateway",
			text);
	else
		return true;
	return false;
}
