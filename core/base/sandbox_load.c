/* SPDX-License-Identifier: MPL-2.0 */

/* Has the filter of system calls made in a child process, and puts it into
 * force. */

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child_process.h"
#include "base/clock.h"
#include "base/sandbox.h"
#include "base/sandbox_filter.h"

/* It takes some milliseconds.  But a fork of a process with threads may hang on
 * a lock whose owner was not copied. */
#define MAKE_MS 5000

/* One more than the kernel takes. */
#define ROOM (BPF_MAXINSNS + 1)

/* Reads to the end.  Returns the number of bytes, or -1. */
static ssize_t read_all(int fd, char *out, size_t room)
{
	int64_t end_ms = clock_ms() + MAKE_MS, left_ms;
	struct pollfd pollfd = {.fd = fd, .events = POLLIN};
	size_t len = 0;
	ssize_t got;

	while ((left_ms = end_ms - clock_ms()) > 0 && len < room) {
		int ready = poll(&pollfd, 1, (int)left_ms);

		if (ready == 0 || (ready < 0 && errno == EINTR))
			continue;
		got = read(fd, out + len, room - len);
		if (got == 0)
			return (ssize_t)len;
		if (got < 0 && errno != EINTR)
			return -1;
		if (got > 0)
			len += (size_t)got;
	}
	return -1;
}

/* Returns the number of instructions, or -1 with err. */
static int make(unsigned needs, struct sock_filter *out, struct relay_err *err)
{
	pid_t pid = getpid();
	struct child_process child;
	int status, started = child_process_start(&child);
	ssize_t len;

	if (started < 0)
		return relay_fail(err, "cannot fork: %s", strerror(errno));
	if (started == 1)
		_exit(sandbox_filter_make(needs, pid, child.fd) == 0
				? EXIT_SUCCESS
				: EXIT_FAILURE);
	len = read_all(child.fd, (char *)out, ROOM * sizeof(*out));
	status = child_process_end(&child, len < 0);
	if (len <= 0 || (size_t)len % sizeof(*out) != 0 || status != 0)
		return relay_fail(err, "libseccomp cannot make the filter");
	return (int)((size_t)len / sizeof(*out));
}

int sandbox_filter_calls(unsigned needs, struct relay_err *err)
{
	struct sock_filter *instructions = calloc(ROOM, sizeof(*instructions));
	struct sock_fprog program = {.filter = instructions};
	int count, result = -1;

	if (!instructions)
		return relay_fail(err, "out of memory");
	count = make(needs, instructions, err);
	if (count > 0) {
		program.len = (unsigned short)count;
		/* More than 0 is a thread that could not take the filter. */
		result = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			SECCOMP_FILTER_FLAG_TSYNC, &program);
		if (result != 0)
			result = relay_fail(err,
				"cannot filter system calls: %s",
				result > 0 ? "a thread has another filter"
					   : strerror(errno));
	}
	free(instructions);
	return result;
}
