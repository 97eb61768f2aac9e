/* SPDX-License-Identifier: MPL-2.0 */

/* What to do when accept(2) fails. */

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "net/accept_peer.h"
#include "net/accept_failure.h"
#include "net/net_metrics.h"

enum accept_next accept_failure(struct metrics_shard *shard, int error)
{
	switch (error) {
	case EAGAIN:
		return ACCEPT_EMPTY;
	case EINTR:
	case ECONNABORTED:
	case EPROTO:
		return ACCEPT_ANOTHER;
	case EMFILE:
	case ENFILE:
		net_count(shard, NET_ACCEPT_ERRORS, NET_ACCEPT_DESCRIPTORS, 1);
		return ACCEPT_CROWDED;
	case ENOMEM:
	case ENOBUFS:
		net_count(shard, NET_ACCEPT_ERRORS, NET_ACCEPT_MEMORY, 1);
		return ACCEPT_LATER;
	default:
		net_count(shard, NET_ACCEPT_ERRORS, NET_ACCEPT_OTHER, 1);
		return ACCEPT_LATER;
	}
}

int spare_open(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

int spare_accept(
	int *spare, int listener, struct sockaddr *from, socklen_t *len)
{
	if (*spare < 0)
		return -1;
	close(*spare);
	*spare = -1;
	return accept_peer(listener, from, len);
}

int spare_refuse(int *spare, int listener)
{
	int fd = spare_accept(spare, listener, NULL, NULL);

	if (fd >= 0)
		close(fd);
	*spare = spare_open();
	return fd >= 0 ? 0 : -1;
}
