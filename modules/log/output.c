/* SPDX-License-Identifier: MPL-2.0 */

/* Writes lines to a descriptor that may be slow, full or closed. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/uio.h>
#include <unistd.h>

#include <strelaysrv/file.h>

#include "output.h"

#define PATIENCE_MS 100

static int fail_open(const struct relay_err *why, struct relay_err *err)
{
	return relay_fail(err, "cannot open the log file: %.220s", why->text);
}

int output_check(const char *path, struct relay_err *err)
{
	struct relay_err why;

	return relay_file_append_try(path, &why) == 0 ? 0
						      : fail_open(&why, err);
}

int output_open(struct output *out, const char *path, struct relay_err *err)
{
	struct relay_err why;
	int fd = relay_file_append(path, 0640, true, &why);

	if (fd < 0)
		return fail_open(&why, err);
	*out = (struct output){.fd = fd, .owned = true};
	return 0;
}

void output_stderr(struct output *out)
{
	*out = (struct output){.fd = STDERR_FILENO};
}

void output_close(struct output *out)
{
	/* An error here is ignored: the lines were reported as lost already. */
	if (out->owned && out->fd >= 0)
		(void)close(out->fd);
	*out = (struct output){.fd = -1};
}

static int await_room(const struct output *out)
{
	struct pollfd pfd = {.fd = out->fd, .events = POLLOUT};
	int n = poll(&pfd, 1, out->failing ? 0 : PATIENCE_MS);

	/* Where poll(2) is missing, the write may block. */
	if (n < 0)
		return errno == EINTR ? -1 : 0;
	if (pfd.revents & POLLOUT)
		return 0;
	errno = n == 0 ? EAGAIN : EPIPE;
	return -1;
}

static ssize_t write_vector(int fd, struct iovec *parts, int n)
{
	ssize_t done;

	do
		done = writev(fd, parts, n);
	while (done < 0 && errno == EINTR);
	return done;
}

static void skip(struct iovec *parts, int n, size_t len)
{
	for (int i = 0; i < n; i++) {
		size_t here = len < parts[i].iov_len ? len : parts[i].iov_len;

		parts[i].iov_base = (char *)parts[i].iov_base + here;
		parts[i].iov_len -= here;
		len -= here;
	}
}

static int write_parts(
	struct output *out, struct iovec *parts, int n, size_t len)
{
	while (len > 0) {
		ssize_t done = write_vector(out->fd, parts, n);

		if (done < 0)
			return -1;
		/* The file now ends in an incomplete line. */
		out->torn = true;
		skip(parts, n, (size_t)done);
		len -= (size_t)done;
	}
	out->torn = false;
	return 0;
}

int output_write(struct output *out, const char *line, size_t len)
{
	static const char end[] = "\n";
	/* iovec has no const members, but writev changes nothing. */
	struct iovec parts[] = {
		{(void *)(uintptr_t)end, out->torn ? 1 : 0},
		{(void *)(uintptr_t)line, len},
		{(void *)(uintptr_t)end, 1},
	};
	size_t all = parts[0].iov_len + len + 1;

	if (await_room(out) || write_parts(out, parts, 3, all)) {
		out->failing = true;
		out->lost++;
		return -1;
	}
	out->failing = false;
	return 0;
}
