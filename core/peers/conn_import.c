/* SPDX-License-Identifier: MPL-2.0 */

/* Connections that another process accepted and this one serves. */

#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"
#include "peers/stranger_eviction.h"
#include "peers/conn_import.h"
#include "peers/conn_accept.h"
#include "peers/conn_address.h"
#include "peers/conn_state.h"
#include "peers/listen_address.h"
#include "peers/listen_set.h"
#include "peers/listener_facts.h"
#include "peers/peers_shared.h"
#include "peers/peers_state.h"
#include "workers/workers.h"

struct imported_conn {
	int fd; /* owned */
	size_t len;
	struct sockaddr_storage from, to; /* to: AF_UNSPEC: the socket knows */
	struct listener_facts *facts;     /* shared; NULL: none is known */
	bool onward;                      /* from the old process to this one */
	unsigned char data[CONN_IMPORT_DATA_MAX];
};

static void import_here(struct loop *loop, void *arg)
{
	struct imported_conn *conn = arg;
	struct worker *worker = worker_of(loop);

	if (peers_of(worker)->stopping || !capacity_enter_or_evict(worker)) {
		close(conn->fd);
	} else {
		const struct sockaddr_storage *to =
			conn->to.ss_family == AF_UNSPEC ? NULL : &conn->to;

		conn_give_read(conn_accept(worker, conn->fd, &conn->from, to,
				       conn->facts),
			conn->data, conn->len);
	}
	listener_facts_leave(conn->facts);
}

/* The listener that serves now the address at which it came in.  Returns false
 * if the connection may have come to a private listener, or if nobody serves
 * that address any more. */
static bool find_facts(struct imported_conn *conn)
{
	struct listen_place to = {.len = sizeof(to.addr)};

	if (getsockname(conn->fd, (struct sockaddr *)&to.addr, &to.len) != 0)
		return false;
	address_unmap(&to.addr);
	conn->facts = listen_set_facts(&peers_shared()->now, &to);
	return conn->facts ||
	       (!conn->onward && !listen_set_any_private(&peers_shared()->now));
}

/* Closes conn->fd on failure. */
static void import(struct imported_conn *conn, const void *data)
{
	struct peers_shared *room = peers_shared();
	int flags = fcntl(conn->fd, F_GETFL);

	if (conn->len <= sizeof(conn->data))
		memcpy(conn->data, data, conn->len);
	if (!find_facts(conn) || flags < 0 || conn->len > sizeof(conn->data) ||
		fcntl(conn->fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
		loop_post(
			&workers_get(room->imported++ % workers_count())->loop,
			import_here, conn, sizeof(*conn)) != 0) {
		listener_facts_leave(conn->facts);
		close(conn->fd);
	}
}

void conn_import(int fd, const void *data, size_t len)
{
	struct imported_conn conn = {.fd = fd, .len = len};
	socklen_t from = sizeof(conn.from);

	if (fd < 0)
		return;
	if (getpeername(fd, (struct sockaddr *)&conn.from, &from) != 0)
		close(fd);
	else
		import(&conn, data);
}

static void read_place(
	const uint8_t addr[16], uint16_t port, struct sockaddr_storage *out)
{
	struct conn_place place = {.port = ntohs(port)};

	memcpy(place.addr, addr, sizeof(place.addr));
	conn_place_write(&place, out);
}

void conn_import_proxied(int fd, const void *data, size_t len)
{
	struct imported_conn conn = {.fd = fd};
	struct conn_import_proxied proxied;

	if (fd < 0)
		return;
	if (len < sizeof(proxied)) {
		close(fd);
		return;
	}
	memcpy(&proxied, data, sizeof(proxied));
	conn.len = len - sizeof(proxied);
	read_place(proxied.from, proxied.from_port, &conn.from);
	read_place(proxied.to, proxied.to_port, &conn.to);
	import(&conn, (const unsigned char *)data + sizeof(proxied));
}

bool conn_export_proxied(
	const struct relay_conn *conn, struct conn_import_proxied *out)
{
	if (!conn->came_in)
		return false;
	memcpy(out->from, conn->addr, sizeof(out->from));
	memcpy(out->to, conn->came_in->addr, sizeof(out->to));
	out->from_port = htons(conn->port);
	out->to_port = htons(conn->came_in->port);
	return true;
}

void conn_import_onward(int fd, const void *data, size_t len)
{
	struct imported_conn conn = {.fd = fd, .onward = true};
	struct conn_import_onward onward;

	if (fd < 0)
		return;
	if (len < sizeof(onward)) {
		close(fd);
		return;
	}
	memcpy(&onward, data, sizeof(onward));
	conn.len = len - sizeof(onward);
	read_place(onward.place.from, onward.place.from_port, &conn.from);
	if (onward.proxied)
		read_place(onward.place.to, onward.place.to_port, &conn.to);
	import(&conn, (const unsigned char *)data + sizeof(onward));
}

void conn_export_onward(
	const struct relay_conn *conn, struct conn_import_onward *out)
{
	memset(out, 0, sizeof(*out));
	out->proxied = conn_export_proxied(conn, &out->place);
	memcpy(out->place.from, conn->addr, sizeof(out->place.from));
	out->place.from_port = htons(conn->port);
}
