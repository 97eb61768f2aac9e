/* SPDX-License-Identifier: MPL-2.0 */

/* Outgoing connections. */

#include <errno.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dial.h"

/* 127.0.0.2 and up.  One address has ports for 28,000 connections at best, and
 * real devices do not come from one address either. */
#define SOURCES 250U

static void set_flag(int fd, int level, int name)
{
	const int yes = 1;

	/* Only costs speed, or ports, if it fails. */
	(void)setsockopt(fd, level, name, &yes, sizeof(yes));
}

static int bind_source(struct bench *bench, int fd)
{
	struct sockaddr_in source = {.sin_family = AF_INET};

	if (ntohl(bench->server.sin_addr.s_addr) >> 24 != IN_LOOPBACKNET)
		return 0;
	source.sin_addr.s_addr =
		htonl(INADDR_LOOPBACK + 1 + bench->dialled++ % SOURCES);
	/* The port is chosen at connect, when it need only be unique for the
	 * pair of addresses. */
	set_flag(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT);
	return bind(fd, (const struct sockaddr *)&source, sizeof(source));
}

int dial(struct bench *bench)
{
	int error, fd = socket(AF_INET,
			   SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	set_flag(fd, IPPROTO_TCP, TCP_NODELAY);
	if (!bind_source(bench, fd) &&
		(!connect(fd, (const struct sockaddr *)&bench->server,
			 sizeof(bench->server)) ||
			errno == EINPROGRESS))
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

int dial_error(int fd)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len))
		return errno;
	return error;
}
