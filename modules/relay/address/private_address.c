/* SPDX-License-Identifier: MPL-2.0 */

/* Whether this machine reaches others from a private address. */

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "relay/address/private_address.h"
#include "shared/address_reach.h"

/* Any public address: only the route to it is used, and nothing is sent. */
#define ANYWHERE      "192.0.2.1"
#define ANYWHERE_PORT 9

bool private_address_find(char out[PRIVATE_ADDRESS_TEXT])
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(ANYWHERE_PORT)};
	uint8_t bytes[16] = {[10] = 0xff, [11] = 0xff};
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool found;

	if (fd < 0)
		return false;
	(void)inet_pton(AF_INET, ANYWHERE, &to.sin_addr);
	found = connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0 &&
		getsockname(fd, (struct sockaddr *)&from, &len) == 0;
	(void)close(fd);
	if (!found)
		return false;
	memcpy(bytes + 12, &from.sin_addr, sizeof(from.sin_addr));
	return address_reach(bytes) == REACH_PRIVATE &&
	       inet_ntop(AF_INET, &from.sin_addr, out, PRIVATE_ADDRESS_TEXT);
}
