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

int relay_conn_local(const struct relay_conn *conn,
	struct sockaddr_storage *local, struct sockaddr_storage *listener)
{
	struct sockaddr_storage first = {.ss_family = AF_UNSPEC};
	socklen_t len = sizeof(*local);

	memset(listener, 0, sizeof(*listener));
	if (conn->facts)
		*listener = conn->facts->bound;
	if (conn->came_in) {
		conn_place_write(conn->came_in, local);
		return 0;
	}
	memset(local, 0, sizeof(*local));
	if (conn->fd < 0 ||
		getsockname(conn->fd, (struct sockaddr *)local, &len) != 0)
		return -1;
	address_unmap(local);
	if (ask_firewall(conn->fd, local->ss_family, &first) == 0 &&
		first.ss_family == local->ss_family)
		*local = first;
	return 0;
}
