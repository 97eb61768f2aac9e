/* SPDX-License-Identifier: MPL-2.0 */

/* Where a connection came in. */

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include <strelaysrv/conn.h>

#include "base/address.h"
#include "peers/conn_address.h"
#include "peers/conn_state.h"
#include "peers/listener_facts.h"

/* SO_ORIGINAL_DST of linux/netfilter_ipv4.h, and IP6T_SO_ORIGINAL_DST of
 * linux/netfilter_ipv6/ip6_tables.h, which conflict with netinet/in.h. */
#define ORIGINAL_DST 80

/*
 * A rule of the firewall may have sent the connection to another port or
 * address of this machine; the peer only knows the first one.
 */
static int ask_firewall(int fd, int family, struct sockaddr_storage *out)
{
	socklen_t len = sizeof(*out);

	return getsockopt(fd, family == AF_INET ? SOL_IP : SOL_IPV6,
		ORIGINAL_DST, out, &len);
}

/* 0 or -1. */
static int ask_socket(int fd, struct sockaddr_storage *out)
{
	socklen_t len = sizeof(*out);

	memset(out, 0, sizeof(*out));
	if (fd < 0 || getsockname(fd, (struct sockaddr *)out, &len) != 0)
		return -1;
	address_unmap(out);
	return 0;
}

/* A proxy need not know the port.  0 or -1. */
static int find_came_in(
	const struct relay_conn *conn, struct sockaddr_storage *out)
{
	struct conn_place place = *conn->came_in;
	struct sockaddr_storage own;

	if (place.port == 0) {
		if (ask_socket(conn->fd, &own) != 0)
			return -1;
		place.port = (uint16_t)address_port(&own);
	}
	conn_place_write(&place, out);
	return 0;
}

int relay_conn_local(const struct relay_conn *conn,
	struct sockaddr_storage *local, struct sockaddr_storage *listener)
{
	struct sockaddr_storage first = {.ss_family = AF_UNSPEC};

	memset(listener, 0, sizeof(*listener));
	if (conn->facts)
		*listener = conn->facts->bound;
	if (conn->came_in)
		return find_came_in(conn, local);
	if (ask_socket(conn->fd, local) != 0)
		return -1;
	if (ask_firewall(conn->fd, local->ss_family, &first) == 0 &&
		first.ss_family == local->ss_family)
		*local = first;
	return 0;
}
