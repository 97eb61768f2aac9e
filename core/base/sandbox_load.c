/* SPDX-License-Identifier: MPL-2.0 */

/* Puts the filter of system calls into force. */

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/sandbox.h"

/* It takes some milliseconds.  But the process that makes it was forked from
 * one with threads, and may hang on a lock whose owner was not copied. */
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

int sandbox_filter_calls(int fd, struct relay_err *err)
{
	struct sock_filter *instructions = calloc(ROOM, sizeof(*instructions));
	struct sock_fprog program = {.filter = instructions};
	ssize_t len;
	int result = -1;

	if (!instructions)
		return relay_fail(err, "out of memory");
	len = read_all(fd, (char *)instructions, ROOM * sizeof(*instructions));
	if (len <= 0 || (size_t)len % sizeof(*instructions) != 0) {
		(void)relay_fail(err, "libseccomp cannot make the filter");
	} else {
		program.len =
			(unsigned short)((size_t)len / sizeof(*instructions));
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
