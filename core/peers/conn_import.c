/* SPDX-License-Identifier: MPL-2.0 */

/* Connections that another process accepted and this one serves. */

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "peers/stranger_eviction.h"
#include "peers/conn_import.h"
#include "peers/conn_accept.h"
#include "peers/peers_shared.h"
#include "peers/peers_state.h"
#include "workers/workers.h"

struct imported_conn {
	int fd; /* owned */
	size_t len;
	struct sockaddr_storage from;
	unsigned char data[CONN_IMPORT_DATA_MAX];
};

static void import_here(struct loop *loop, void *arg)
{
	struct imported_conn *conn = arg;
	struct worker *worker = worker_of(loop);

	if (peers_of(worker)->stopping || !capacity_enter_or_evict(worker)) {
		close(conn->fd);
		return;
	}
	conn_accept_read(worker, conn->fd, &conn->from, conn->data, conn->len);
}

void conn_import(int fd, const void *data, size_t len)
{
	struct peers_shared *room = peers_shared();
	struct imported_conn conn = {.fd = fd, .len = len};
	socklen_t from = sizeof(conn.from);
	int flags = fd < 0 ? -1 : fcntl(fd, F_GETFL);

	if (flags < 0)
		return;
	if (len > sizeof(conn.data)) {
		close(fd);
		return;
	}
	memcpy(conn.data, data, len);
	if (getpeername(fd, (struct sockaddr *)&conn.from, &from) != 0 ||
		fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
		loop_post(
			&workers_get(room->imported++ % workers_count())->loop,
			import_here, &conn, sizeof(conn)) != 0)
		close(fd);
}
