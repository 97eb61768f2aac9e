/* SPDX-License-Identifier: MPL-2.0 */

/* What the old process of an upgrade passes on to the new one. */

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include <strelaysrv/conn.h>

#include "base/instance.h"
#include "life/handover.h"
#include "life/life_state.h"
#include "life/pass_on.h"
#include "log/log.h"
#include "peers/conn_end.h"
#include "peers/conn_import.h"
#include "peers/conn_state.h"

static struct upgrade_state *self(void)
{
	return &instance->life->upgrade;
}

/*
 * Workers have a descriptor of their own, which is never closed while they run:
 * one of them might be about to use it.  A later upgrade replaces what it
 * refers to.
 */
void pass_on_begin(int channel)
{
	int fd = self()->pass_on_fd;

	fd = fd < 0 ? fcntl(channel, F_DUPFD_CLOEXEC, 0)
		    : dup3(channel, fd, O_CLOEXEC);
	if (fd < 0) {
		log_core(RELAY_WARNING,
			"upgrade: connections that wait stay with this "
			"process: %s",
			strerror(errno));
		return;
	}
	self()->pass_on_fd = fd;
	atomic_store(&self()->pass_on_to, fd);
}

void pass_on_end(void)
{
	atomic_store(&self()->pass_on_to, -1);
}

void pass_on_finish(void)
{
	pass_on_end();
	if (self()->pass_on_fd >= 0)
		(void)close(self()->pass_on_fd);
	self()->pass_on_fd = -1;
}

/* What errno says of a message that could not be sent. */
static enum relay_pass_on after_failure(void)
{
	switch (errno) {
	case EAGAIN:
	case ENOBUFS:
	case ENOMEM:
	case ETOOMANYREFS: /* descriptors that nobody has received yet */
		return RELAY_PASS_ON_LATER;
	default:
		return RELAY_PASS_ON_NEVER;
	}
}

static int send_on(
	int to, const struct relay_conn *conn, const void *read, size_t len)
{
	unsigned char data[HANDOVER_DATA];
	struct conn_import_onward onward;

	conn_export_onward(conn, &onward);
	memcpy(data, &onward, sizeof(onward));
	if (len)
		memcpy(data + sizeof(onward), read, len);
	return handover_send(
		to, HANDOVER_ONWARD, data, sizeof(onward) + len, conn->fd);
}

enum relay_pass_on relay_conn_pass_on(struct relay_ctx *cx,
	struct relay_conn *conn, const void *read, size_t len)
{
	int to =
		atomic_load_explicit(&self()->pass_on_to, memory_order_relaxed);

	(void)cx;
	/* A peer that was answered must stay with this process. */
	if (to < 0 || conn->phase != CONN_TAKEN || conn->tls || conn->ended ||
		conn->wrote || conn->unread || len > CONN_IMPORT_DATA_MAX)
		return RELAY_PASS_ON_NEVER;
	if (send_on(to, conn, read, len) != 0)
		return after_failure();
	conn_end(conn, RELAY_END_MOVED);
	return RELAY_PASSED_ON;
}
