/* SPDX-License-Identifier: MPL-2.0 */

/* Connections that another process accepted and this one serves. */

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "peers/admission.h"
#include "peers/adopt.h"
#include "peers/conn_accept.h"
#include "peers/peers_shared.h"
#include "peers/peers_state.h"
#include "workers/workers.h"

struct orphan {
	int fd; /* owned */
	size_t len;
	struct sockaddr_storage from;
	unsigned char data[ADOPT_DATA_MAX];
};

static void adopt_here(struct loop *loop, void *arg)
{
	struct orphan *orphan = arg;
	struct worker *worker = worker_of(loop);

	if (peers_of(worker)->stopping || !admission_enter(worker)) {
		close(orphan->fd);
		return;
	}
	conn_accept_read(
		worker, orphan->fd, &orphan->from, orphan->data, orphan->len);
}

void adopt(int fd, const void *data, size_t len)
{
	struct peers_shared *room = peers_shared();
	struct orphan orphan = {.fd = fd, .len = len};
	socklen_t from = sizeof(orphan.from);
	int flags = fd < 0 ? -1 : fcntl(fd, F_GETFL);

	if (flags < 0)
		return;
	if (len > sizeof(orphan.data)) {
		close(fd);
		return;
	}
	memcpy(orphan.data, data, len);
	if (getpeername(fd, (struct sockaddr *)&orphan.from, &from) != 0 ||
		fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
		loop_post(&workers_get(room->adopted++ % workers_count())->loop,
			adopt_here, &orphan, sizeof(orphan)) != 0)
		close(fd);
}
