/* SPDX-License-Identifier: MPL-2.0 */

/* Accepts connections, in one system call or in three. */

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "net/accept_peer.h"

static int accept_in_steps(int listener, struct sockaddr *from, socklen_t *len)
{
	int fd = accept(listener, from, len), flags, error;

	if (fd < 0)
		return -1;
	flags = fcntl(fd, F_GETFL);
	if (flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
		fcntl(fd, F_SETFD, FD_CLOEXEC) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

int accept_peer(int listener, struct sockaddr *from, socklen_t *len)
{
	int fd = accept4(listener, from, len, SOCK_NONBLOCK | SOCK_CLOEXEC);

	/* Kernels and system call filters may lack accept4(). */
	if (fd < 0 && (errno == ENOSYS || errno == EPERM || errno == EINVAL))
		return accept_in_steps(listener, from, len);
	return fd;
}

int accept_peer_try(void)
{
	int fd = accept_peer(-1, NULL, NULL);

	return fd < 0 && errno != EBADF ? errno : 0;
}
