/* SPDX-License-Identifier: MPL-2.0 */

/* Reads a configuration file in a child process. */

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/child_process.h"
#include "base/clock.h"
#include "base/file_wait.h"
#include "base/signal_name.h"
#include "config/config_child.h"
#include "config/config_report.h"

/* A child that still reads uses CPU time more often than this. */
static const struct config_child_limits usual = {
	.all_ms = 30000, .stuck_ms = 3000, .silent_ms = 10000};

#define FILE_NAME 200 /* the room for the path of a file in a message */

/* The child's exit codes; sanitizers have others. */
#define EXIT_BY_LIBRARY 3
#define EXIT_UNSENT     4

/* All that the child sent; it may contain secrets. */
struct received {
	unsigned char *bytes; /* owned */
	size_t len, room;
};

/* When libconfuse calls exit(), the server's exit handlers must not run. */
static void leave(void)
{
	_exit(EXIT_BY_LIBRARY);
}

static int begin(struct child_process *child, config_child_fn *fn,
	const char *path, struct config_section *sections, size_t n)
{
	struct config_serializer out = {.failed = false};
	int result = child_process_start(child);

	if (result != 1)
		return result;
	if (atexit(leave) != 0)
		_exit(EXIT_UNSENT);
	out.fd = child->fd;
	fn(path, sections, n, &out);
	_exit(out.failed ? EXIT_UNSENT : EXIT_SUCCESS);
}

static int make_room(struct received *received)
{
	size_t room = received->room ? received->room * 2 : 4096;
	unsigned char *bytes;

	if (received->len < received->room)
		return 0;
	if (room > CONFIG_SERIALIZED_MAX) {
		errno = EFBIG;
		return -1;
	}
	bytes = malloc(room);
	if (!bytes)
		return -1;
	if (received->len > 0) {
		memcpy(bytes, received->bytes, received->len);
		explicit_bzero(received->bytes, received->len);
	}
	free(received->bytes);
	received->bytes = bytes;
	received->room = room;
	return 0;
}

/* CPU time of the child; 0: unknown. */
static int64_t used_ns(const struct child_process *child)
{
	struct timespec used;
	clockid_t clock;

	if (clock_getcpuclockid(child->pid, &clock) != 0 ||
		clock_gettime(clock, &used) != 0)
		return 0;
	return (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
}

/* Waits for data from the child, for `ms` at most.  Meanwhile file_wait.h
 * reports that this thread waits for the file that the child waits for. */
static int wait_for(
	const struct child_process *child, const char *path, int64_t ms)
{
	struct pollfd pollfd = {.fd = child->fd, .events = POLLIN};
	char file[FILE_NAME];
	int ready;

	child_process_file(child, path, file, sizeof(file));
	file_wait_begin(file);
	ready = poll(&pollfd, 1, (int)ms);
	file_wait_end();
	return ready;
}

/* Waits until the child sends something.  Returns 1; 0 if it uses no CPU time,
 * or has sent nothing for silent_ms; or -1 with errno. */
static int await(const struct child_process *child, const char *path,
	int64_t end_ms, int64_t stuck_ms, int64_t silent_ms)
{
	int64_t silent_until_ms = silent_ms ? clock_ms() + silent_ms : end_ms;

	for (;;) {
		int64_t before = used_ns(child), left = end_ms - clock_ms();
		int ready;

		if (left <= 0) {
			errno = ETIMEDOUT;
			return -1;
		}
		if (silent_until_ms < end_ms && clock_ms() >= silent_until_ms)
			return 0;
		ready = wait_for(
			child, path, left < stuck_ms ? left : stuck_ms);
		if (ready > 0)
			return 1;
		if (ready < 0 && errno != EINTR)
			return -1;
		if (ready == 0 && left > stuck_ms && before > 0 &&
			used_ns(child) == before)
			return 0;
	}
}

/* Reads all that the child sends.  Returns 1; 0 if it is stuck; or -1 with
 * errno. */
static int receive(const struct child_process *child, const char *path,
	struct received *received, int64_t end_ms, int64_t stuck_ms,
	int64_t silent_ms)
{
	for (;;) {
		ssize_t got;
		int ready;

		if (make_room(received) != 0)
			return -1;
		ready = await(child, path, end_ms, stuck_ms, silent_ms);
		if (ready <= 0)
			return ready;
		got = read(child->fd, received->bytes + received->len,
			received->room - received->len);
		if (got == 0)
			return 1;
		if (got < 0 && errno != EINTR)
			return -1;
		if (got > 0)
			received->len += (size_t)got;
	}
}

static int fail(struct config_report *to, const char *path, const char *why)
{
	config_report(to, RELAY_ERROR, "cannot read %.160s: %s", path, why);
	return -1;
}

/* If a child ends early, the usual reason is lack of memory. */
static int fail_status(struct config_report *to, const char *path, int status)
{
	char why[128];

	if (WIFSIGNALED(status))
		(void)snprintf(why, sizeof(why),
			"out of memory? The process that reads it was ended by "
			"%s",
			signal_name(WTERMSIG(status)));
	else
		(void)snprintf(why, sizeof(why),
			"out of memory? The process that reads it ended with "
			"%d",
			WEXITSTATUS(status));
	return fail(to, path, why);
}

static void forget(struct received *received)
{
	if (received->bytes)
		explicit_bzero(received->bytes, received->room);
	free(received->bytes);
	*received = (struct received){.bytes = NULL};
}

static const char *reason(int error)
{
	return error == ETIMEDOUT ? "it takes too long" : strerror(error);
}

int config_child_within(const struct config_child_limits *limits,
	config_child_fn *fn, const char *path, struct config_section *sections,
	size_t n, config_report_fn *report, void *arg)
{
	struct config_report to = {.fn = report, .arg = arg};
	int64_t end_ms = clock_ms() + limits->all_ms;
	int64_t silent_ms = limits->silent_ms;
	struct received received = {.bytes = NULL};
	struct child_process child;
	char file[FILE_NAME]; /* the last one that the child waited for */
	int heard, error, status, result;

	for (;;) {
		if (begin(&child, fn, path, sections, n) != 0)
			return fail(&to, path, strerror(errno));
		heard = receive(&child, path, &received, end_ms,
			limits->stuck_ms, silent_ms);
		error = heard < 0 ? errno : 0;
		child_process_file(&child, path, file, sizeof(file));
		/* A child that is blocked on a file may not end, even when
		 * killed. */
		file_wait_begin(file);
		status = child_process_end(&child, heard <= 0);
		if (!error && status < 0)
			error = errno;
		file_wait_end();
		if (heard != 0)
			break;
		config_report(&to, RELAY_WARNING,
			"the process that reads %.160s is stuck: another one "
			"reads it",
			file);
		forget(&received);
		/* One that reads a large file may be silent for long. */
		silent_ms = 0;
	}
	if (error)
		result = fail(&to, file, reason(error));
	else if (status != 0)
		result = fail_status(&to, path, status);
	else
		result = config_deserialize(
			received.bytes, received.len, sections, n, report, arg);
	forget(&received);
	return result;
}

int config_child(config_child_fn *fn, const char *path,
	struct config_section *sections, size_t n, config_report_fn *report,
	void *arg)
{
	return config_child_within(&usual, fn, path, sections, n, report, arg);
}
