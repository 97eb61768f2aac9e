/* SPDX-License-Identifier: MPL-2.0 */

/* Outgoing connections. */

#include <errno.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dial.h"

static void set_flag(int fd, int level, int name)
{
	const int yes = 1;

	/* Not fatal: if it fails, it only costs speed or ports. */
	(void)setsockopt(fd, level, name, &yes, sizeof(yes));
}

static int bind_source(
	struct bench *bench, const struct sockaddr_in *server, int fd)
{
	struct sockaddr_in source = {.sin_family = AF_INET};

	if (ntohl(server->sin_addr.s_addr) >> 24 != IN_LOOPBACKNET)
		return 0;
	source.sin_addr.s_addr = htonl(
		bench->sources.first + bench->dialled++ % bench->sources.count);
	/*
	 * Choose the port at connect(), where it must only be unique for the
	 * pair of addresses.
	 */
	set_flag(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT);
	return bind(fd, (const struct sockaddr *)&source, sizeof(source));
}

int dial(struct bench *bench)
{
	return dial_to(bench, &bench->server);
}

int dial_to(struct bench *bench, const struct sockaddr_in *server)
{
	int error, fd = socket(AF_INET,
			   SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	set_flag(fd, IPPROTO_TCP, TCP_NODELAY);
	if (!bind_source(bench, server, fd) &&
		(!connect(fd, (const struct sockaddr *)server,
			 sizeof(*server)) ||
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
