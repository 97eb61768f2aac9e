/* SPDX-License-Identifier: MPL-2.0 */

/* Addresses of hosts. */

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "host.h"

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
