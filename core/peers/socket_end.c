/* SPDX-License-Identifier: MPL-2.0 */

/* Closes a connection's socket. */

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/sockios.h>

#include "log/log.h"
#include "peers/peer_metrics.h"
#include "peers/conn_state.h"
#include "peers/peers_state.h"
#include "peers/socket_end.h"

/* How long the kernel tries to deliver the end of a closed socket. */
#define END_MS 10000

int socket_owes(int fd)
{
	int bytes = 0;

	/* The kernel counts an unacknowledged FIN of ours as one byte. */
	return ioctl(fd, SIOCOUTQ, &bytes) == 0 && bytes > 1 ? bytes : 0;
}

int socket_unread(int fd)
{
	int bytes = 0;

	return ioctl(fd, FIONREAD, &bytes) == 0 ? bytes : -1;
}

bool socket_broken(int fd)
{
	struct pollfd look = {.fd = fd};

	return poll(&look, 1, 0) == 1 &&
	       (look.revents & (POLLERR | POLLHUP)) != 0;
}

enum close_by socket_end_by(
	const struct relay_conn *conn, enum relay_reason reason)
{
	if (reason == RELAY_END_MOVED)
		return CLOSE_BY_LEAVE;
	/* At a stop the memory of the last bytes does not matter any more, so
	 * the kernel may deliver them. */
	if (reason == RELAY_END_STOP || reason == RELAY_END_DONE ||
		peers_of(conn->worker)->stopping)
		return CLOSE_BY_TIME;
	return conn->truncated || socket_owes(conn->fd) > 0 ? CLOSE_BY_RESET
							    : CLOSE_BY_TIME;
}

static void reset_it(struct relay_conn *conn)
{
	const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

	if (setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &at_once,
		    sizeof(at_once)) != 0)
		log_core(RELAY_DEBUG, "cannot reset a connection: %s",
			strerror(errno));
	peer_count(conn->worker->shard, PEER_CONNECTIONS_CUT, 0, 1);
}

void socket_end(struct relay_conn *conn)
{
	const unsigned end_ms = END_MS;

	if (conn->close_by == CLOSE_BY_RESET)
		reset_it(conn);
	else if (conn->close_by == CLOSE_BY_TIME &&
		 setsockopt(conn->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &end_ms,
			 sizeof(end_ms)) != 0)
		log_core(RELAY_DEBUG,
			"cannot limit how long the kernel delivers the last "
			"bytes of a closed connection: %s",
			strerror(errno));
	close(conn->fd);
}
