/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What the launcher does, in its own process.  It trusts the server no more
 * than it has to: whoever has taken over the server can send it anything.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "life/launcher.h"
#include "life/upgrade_variables.h"

/* Where its end of the socket is. */
#define OWN_FD (LAUNCHER_FIRST_FD - 1)

static void close_from(int first)
{
	long most;

	if (syscall(SYS_close_range, (unsigned)first, UINT_MAX, 0U) == 0)
		return;
	/* Kernels before 5.9. */
	most = sysconf(_SC_OPEN_MAX);
	for (int fd = first; fd < most && fd < 1 << 20; fd++)
		(void)close(fd);
}

/* They get the lowest free numbers, in their order.  0, or -1 with errno. */
static int receive_fds(size_t count, int *next)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(LAUNCHER_BATCH * sizeof(int))];
	} control;
	char byte;
	struct iovec data = {.iov_base = &byte, .iov_len = 1};
	struct msghdr message = {.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes)};
	const struct cmsghdr *head;
	int fds[LAUNCHER_BATCH];
	ssize_t got;

	do
		got = recvmsg(OWN_FD, &message, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	head = got == 1 ? CMSG_FIRSTHDR(&message) : NULL;
	if (!head || head->cmsg_type != SCM_RIGHTS ||
		message.msg_flags & MSG_CTRUNC ||
		head->cmsg_len != CMSG_LEN(count * sizeof(int))) {
		errno = got == 1 ? EMFILE : EPIPE;
		return -1;
	}
	memcpy(fds, CMSG_DATA(head), count * sizeof(int));
	for (size_t i = 0; i < count; i++)
		if (fds[i] != (*next)++) {
			errno = EBADF;
			return -1;
		}
	return 0;
}

static int receive_all(unsigned count)
{
	int next = LAUNCHER_FIRST_FD;

	while (count > 0) {
		unsigned some = count > LAUNCHER_BATCH ? LAUNCHER_BATCH : count;

		if (receive_fds(some, &next) != 0)
			return -1;
		count -= some;
	}
	return 0;
}

/* Replaces the variables that are the new process's own, and no others. */
static int set_variables(char *text, const char *end)
{
	char *value;

	upgrade_variables_clear();
	for (; text < end; text = value + strlen(value) + 1) {
		value = strchr(text, '=');
		if (!value || !upgrade_variables_has(text)) {
			errno = EINVAL;
			return -1;
		}
		*value++ = '\0';
		if (setenv(text, value, 1) != 0)
			return -1;
	}
	return 0;
}

/* The new process, before it runs the program.  It leads a group of its own, so
 * that all that it starts can be ended with it. */
static _Noreturn void execute(unsigned fds, int report, char *const argv[])
{
	struct sigaction standard = {.sa_handler = SIG_DFL};
	sigset_t none;
	int error;

	(void)setpgid(0, 0);
	for (int number = 1; number < NSIG; number++)
		(void)sigaction(number, &standard, NULL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	for (unsigned i = 0; i < fds; i++)
		(void)fcntl(LAUNCHER_FIRST_FD + (int)i, F_SETFD, 0);
	(void)execvp(argv[0], argv);
	error = errno;
	if (write(report, &error, sizeof(error)) != sizeof(error))
		_exit(126);
	_exit(127);
}

/* A child of the server, not of this process. */
static pid_t fork_sibling(void)
{
	const unsigned long flags = CLONE_PARENT | SIGCHLD;

#ifdef __s390__
	return (pid_t)syscall(SYS_clone, 0UL, flags, 0UL, 0UL, 0UL);
#else
	return (pid_t)syscall(SYS_clone, flags, 0UL, 0UL, 0UL, 0UL);
#endif
}

static struct launcher_answer launch(unsigned fds, char *const argv[])
{
	struct launcher_answer answer = {0};
	int ends[2], error;

	if (pipe2(ends, O_CLOEXEC) != 0) {
		answer.error = errno;
		return answer;
	}
	answer.pid = fork_sibling();
	answer.error = errno;
	if (answer.pid == 0)
		execute(fds, ends[1], argv);
	(void)close(ends[1]);
	/* It is closed without an answer when the program runs. */
	if (answer.pid > 0 &&
		launcher_read(ends[0], &error, sizeof(error)) == 0)
		answer = (struct launcher_answer){.error = error};
	(void)close(ends[0]);
	return answer;
}

/* One request.  Ends the process if the server has ended. */
static void serve_one(char *const argv[])
{
	struct launcher_request request;
	struct launcher_answer answer = {.error = EINVAL};
	char *text = NULL;

	if (launcher_read(OWN_FD, &request, sizeof(request)) != 0 ||
		request.fds > LAUNCHER_FDS_MAX ||
		request.text > LAUNCHER_TEXT_MAX || request.text == 0)
		_exit(0);
	text = malloc(request.text);
	if (!text || receive_all(request.fds) != 0)
		_exit(1); /* the server is told by the end */
	if (launcher_read(OWN_FD, text, request.text) != 0 ||
		text[request.text - 1] != '\0')
		_exit(1);
	if (set_variables(text, text + request.text) == 0)
		answer = launch(request.fds, argv);
	free(text);
	close_from(LAUNCHER_FIRST_FD);
	if (launcher_write(OWN_FD, &answer, sizeof(answer)) != 0)
		_exit(0);
}

void launcher_serve(int fd, char *const argv[])
{
	if (fd != OWN_FD && dup3(fd, OWN_FD, O_CLOEXEC) != OWN_FD)
		_exit(1);
	close_from(LAUNCHER_FIRST_FD);
	for (;;)
		serve_one(argv);
}
