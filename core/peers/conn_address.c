/* SPDX-License-Identifier: MPL-2.0 */

/* A connection's address. */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "peers/conn_address.h"
#include "peers/conn_state.h"

void conn_place_read(
	struct conn_place *out, const struct sockaddr_storage *from)
{
	struct sockaddr_in6 v6;
	struct sockaddr_in v4;

	memset(out, 0, sizeof(*out));
	if (from->ss_family == AF_INET6) {
		memcpy(&v6, from, sizeof(v6));
		memcpy(out->addr, &v6.sin6_addr, 16);
		out->port = ntohs(v6.sin6_port);
	} else {
		memcpy(&v4, from, sizeof(v4));
		out->addr[10] = out->addr[11] = 0xff;
		memcpy(out->addr + 12, &v4.sin_addr, 4);
		out->port = ntohs(v4.sin_port);
	}
}

void conn_place_write(
	const struct conn_place *place, struct sockaddr_storage *out)
{
	struct sockaddr_in6 v6 = {
		.sin6_family = AF_INET6, .sin6_port = htons(place->port)};

	memset(out, 0, sizeof(*out));
	memcpy(&v6.sin6_addr, place->addr, 16);
	memcpy(out, &v6, sizeof(v6));
	address_unmap(out);
}

static struct conn_place place_of(const struct relay_conn *conn)
{
	struct conn_place place = {.port = conn->port};

	memcpy(place.addr, conn->addr, sizeof(place.addr));
	return place;
}

void conn_set_address(
	struct relay_conn *conn, const struct sockaddr_storage *from)
{
	struct conn_place place;

	conn_place_read(&place, from);
	memcpy(conn->addr, place.addr, sizeof(place.addr));
	conn->port = place.port;
}

int conn_set_came_in(struct relay_conn *conn, const struct sockaddr_storage *to)
{
	if (!to)
		return 0;
	conn->came_in = malloc(sizeof(*conn->came_in));
	if (!conn->came_in)
		return -1;
	conn_place_read(conn->came_in, to);
	return 0;
}

void relay_conn_sockaddr(
	const struct relay_conn *conn, struct sockaddr_storage *out)
{
	struct conn_place place = place_of(conn);

	conn_place_write(&place, out);
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
