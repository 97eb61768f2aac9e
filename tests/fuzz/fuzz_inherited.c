/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Fuzzes the environment variables that name listening sockets: of systemd, and
 * of an upgrade.  The lines of the input are LISTEN_FDS, LISTEN_FDNAMES and
 * STRELAYSRV_SOCKETS.  Descriptors below 100 are listening sockets here; each
 * is closed once or handed out once.
 */

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"
#include "log/log.h"
#include "net/inherited.h"
#include "net/listen_socket.h"
#include "net/net_state.h"

#define SOCKETS 100

static unsigned taken[SOCKETS]; /* how often: closed or handed out */

static bool is_socket(int fd)
{
	errno = EBADF;
	return fd >= 0 && fd < SOCKETS;
}

int __wrap_fcntl(int fd, int command, ...);
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *len);
int __wrap_getsockname(int fd, struct sockaddr *out, socklen_t *len);
int __wrap_close(int fd);

int __wrap_fcntl(int fd, int command, ...)
{
	(void)command;
	return is_socket(fd) ? 0 : -1;
}

int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	const int one = 1, stream = SOCK_STREAM;

	(void)len;
	if (!is_socket(fd))
		return -1;
	memcpy(value, level == SOL_SOCKET && name == SO_TYPE ? &stream : &one,
		sizeof(int));
	return 0;
}

int __wrap_getsockname(int fd, struct sockaddr *out, socklen_t *len)
{
	const struct sockaddr_in v4 = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)(fd + 1))};
	const struct sockaddr_in6 v6 = {.sin6_family = AF_INET6,
		.sin6_port = htons((uint16_t)(fd + 1))};

	if (!is_socket(fd))
		return -1;
	*len = fd % 2 ? sizeof(v6) : sizeof(v4);
	memcpy(out, fd % 2 ? (const void *)&v6 : (const void *)&v4, *len);
	return 0;
}

int __wrap_close(int fd)
{
	FUZZ_CHECK(is_socket(fd));
	taken[fd]++;
	return 0;
}

void log_core(enum relay_level level, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	(void)level;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	FUZZ_CHECK(text[0]);
}

static void take_some(void)
{
	struct listen_place place = {.len = sizeof(struct sockaddr_in)};
	struct sockaddr_in *v4 = (struct sockaddr_in *)&place.addr;
	int fd;

	v4->sin_family = AF_INET;
	for (int use = INHERITED_ANY; use < INHERITED_USES; use++) {
		(void)inherited_overlaps((enum inherited_use)use, &place);
		fd = inherited_take(
			(enum inherited_use)use, &place.addr, false);
		if (fd >= 0)
			taken[fd]++;
		fd = inherited_take_any((enum inherited_use)use);
		if (fd >= 0)
			taken[fd]++;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {
		"LISTEN_FDS", "LISTEN_FDNAMES", INHERITED_SOCKETS};
	char *text = fuzz_text(data, size), *rest = text, pid[16];
	struct relay_err err = {.text = ""};
	int result;

	memset(taken, 0, sizeof(taken));
	(void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
	(void)setenv("LISTEN_PID", pid, 1);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *line = strsep(&rest, "\n");

		if (line && line[0])
			(void)setenv(names[i], line, 1);
	}
	FUZZ_CHECK(net_create() == 0);
	result = inherited_init(&err);
	FUZZ_CHECK(result == 0 || (result == -1 && err.text[0]));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		FUZZ_CHECK(!getenv(names[i]));
	if (result == 0)
		take_some();
	inherited_finish();
	net_destroy();
	free(text);
	return 0;
}
