/* SPDX-License-Identifier: MPL-2.0 */

/* Writes to the system log over its local socket. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "line.h"
#include "syslog_socket.h"

static int try_connect(const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd, error;

	if (strlen(path) >= sizeof(addr.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(addr.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) == 0)
		return fd;
	error = errno;
	(void)close(fd);
	errno = error;
	return -1;
}

int syslog_connect(const char *path, int *fd, struct relay_err *err)
{
	int got = try_connect(path);

	if (got < 0)
		return relay_fail(err, "cannot reach the system log at %s: %s",
			path, strerror(errno));
	*fd = got;
	return 0;
}

static size_t frame(
	int priority, const char *text, size_t len, char *out, size_t cap)
{
	time_t now = time(NULL);
	char when[32] = "";
	struct tm tm;
	int head;

	if (localtime_r(&now, &tm) &&
		!strftime(when, sizeof(when), "%b %e %H:%M:%S", &tm))
		when[0] = '\0';
	head = snprintf(out, cap, "<%d>%s strelaysrv[%ld]: ", priority, when,
		(long)getpid());
	if (head < 0 || (size_t)head >= cap)
		return 0;
	if (len > cap - (size_t)head)
		len = cap - (size_t)head;
	memcpy(out + head, text, len);
	return (size_t)head + len;
}

int syslog_send(
	const char *path, int *fd, int priority, const char *text, size_t len)
{
	char message[LINE_MAX_BYTES + 128];
	size_t all = frame(priority, text, len, message, sizeof(message));

	if (*fd >= 0 && send(*fd, message, all, MSG_NOSIGNAL) >= 0)
		return 0;
	if (*fd >= 0 && (errno == EAGAIN || errno == ENOBUFS))
		return -1;
	if (*fd >= 0)
		(void)close(*fd);
	*fd = try_connect(path);
	if (*fd < 0)
		return -1;
	return send(*fd, message, all, MSG_NOSIGNAL) >= 0 ? 0 : -1;
}
