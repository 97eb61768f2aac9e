/* SPDX-License-Identifier: MPL-2.0 */

/* Writes lines to a descriptor that may be slow, full or closed. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <strelaysrv/file.h>

#include "line.h"
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

static int write_all(struct output *out, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t done = write(out->fd, text, len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -1;
		/* The file now ends in an incomplete line. */
		out->torn = true;
		text += done;
		len -= (size_t)done;
	}
	out->torn = false;
	return 0;
}

int output_write(struct output *out, const char *line, size_t len)
{
	/* In one call, so that no other process's line comes between. */
	char whole[LINE_MAX_BYTES + 2];
	size_t head = out->torn ? 1 : 0;

	if (len > LINE_MAX_BYTES)
		len = LINE_MAX_BYTES;
	whole[0] = '\n';
	memcpy(whole + head, line, len);
	whole[head + len] = '\n';
	if (await_room(out) || write_all(out, whole, head + len + 1)) {
		out->failing = true;
		out->lost++;
		return -1;
	}
	out->failing = false;
	return 0;
}
