/* SPDX-License-Identifier: MPL-2.0 */

/* A connection's address. */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "peers/conn_address.h"
#include "peers/conn_state.h"

void conn_set_address(
	struct relay_conn *conn, const struct sockaddr_storage *from)
{
	if (from->ss_family == AF_INET6) {
		const struct sockaddr_in6 *v6 = (const void *)from;

		memcpy(conn->addr, &v6->sin6_addr, 16);
		conn->port = ntohs(v6->sin6_port);
	} else {
		const struct sockaddr_in *v4 = (const void *)from;

		conn->addr[10] = conn->addr[11] = 0xff;
		memcpy(conn->addr + 12, &v4->sin_addr, 4);
		conn->port = ntohs(v4->sin_port);
	}
}

void relay_conn_sockaddr(
	const struct relay_conn *conn, struct sockaddr_storage *out)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct sockaddr_in6 v6 = {
		.sin6_family = AF_INET6, .sin6_port = htons(conn->port)};
	struct sockaddr_in v4 = {
		.sin_family = AF_INET, .sin_port = htons(conn->port)};

	memset(out, 0, sizeof(*out));
	if (memcmp(conn->addr, mapped, sizeof(mapped)) == 0) {
		memcpy(&v4.sin_addr, conn->addr + 12, 4);
		memcpy(out, &v4, sizeof(v4));
	} else {
		memcpy(&v6.sin6_addr, conn->addr, 16);
		memcpy(out, &v6, sizeof(v6));
	}
}

const char *relay_conn_addr_text(
	const struct relay_conn *conn, char out[RELAY_ADDR_TEXT])
{
	struct sockaddr_storage addr;
	char host[INET6_ADDRSTRLEN];

	relay_conn_sockaddr(conn, &addr);
	if (addr.ss_family == AF_INET) {
		inet_ntop(AF_INET, conn->addr + 12, host, sizeof(host));
		snprintf(out, RELAY_ADDR_TEXT, "%s:%u", host, conn->port);
	} else {
		inet_ntop(AF_INET6, conn->addr, host, sizeof(host));
		snprintf(out, RELAY_ADDR_TEXT, "[%s]:%u", host, conn->port);
	}
	return out;
}
