/* SPDX-License-Identifier: MPL-2.0 */

/* The launcher as the server sees it. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pthread.h>

#include "base/instance.h"
#include "base/rights.h"
#include "base/sandbox_filter.h"
#include "life/launcher.h"
#include "life/life_state.h"

static struct launcher *self(void)
{
	return &instance->life->launcher;
}

int launcher_read(int fd, void *data, size_t size)
{
	unsigned char *to = data;

	while (size > 0) {
		ssize_t got = read(fd, to, size);

		if (got < 0 && errno == EINTR)
			continue;
		if (got == 0)
			errno = EPIPE;
		if (got <= 0)
			return -1;
		to += got;
		size -= (size_t)got;
	}
	return 0;
}

int launcher_write(int fd, const void *data, size_t size)
{
	const unsigned char *from = data;

	while (size > 0) {
		ssize_t sent = send(fd, from, size, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return -1;
		from += sent;
		size -= (size_t)sent;
	}
	return 0;
}

/* The child. */

/* The server's handlers would report a crash of the server itself. */
static void remove_crash_handlers(void)
{
	static const int signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		(void)signal(signals[i], SIG_DFL);
}

/* What a library prints before it gives up is not in the log's format. */
static void make_filter(unsigned needs, pid_t server, int fd)
{
	int saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (saved >= 0 && nothing >= 0)
		(void)dup2(nothing, STDERR_FILENO);
	(void)sandbox_filter_make(needs, server, fd);
	if (saved >= 0)
		(void)dup2(saved, STDERR_FILENO);
}

struct becoming {
	const struct rights *rights;
	bool dumps_allowed;
	unsigned needs;
	char *const *argv;
	pid_t server;
	int fd, filter_fd;
};

/* Signals are blocked from before the fork on: they are meant for the server.
 */
static _Noreturn void become(const struct becoming *is)
{
	struct relay_err ignored;

	remove_crash_handlers();
	/* In /proc/PID/comm, so that it is not taken for the server. */
	(void)prctl(PR_SET_NAME, "strelaysrv-next", 0UL, 0UL, 0UL);
	if (rights_drop(is->rights, is->dumps_allowed, &ignored) != 0)
		_exit(1);
	/* If the socket does not tell it. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != is->server)
		_exit(1);
	make_filter(is->needs, is->server, is->filter_fd);
	(void)close(is->filter_fd);
	launcher_serve(is->fd, is->argv);
}

/* The server. */

static int start(struct becoming *is, int fd, int filter_fd)
{
	struct launcher *launcher = self();
	sigset_t all, before;
	int error;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	launcher->pid = fork();
	if (launcher->pid == 0)
		become(is);
	error = errno;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void)close(is->fd);
	(void)close(is->filter_fd);
	launcher->fd = fd;
	launcher->filter_fd = filter_fd;
	if (launcher->pid > 0)
		return 0;
	(void)close(fd);
	(void)close(filter_fd);
	launcher->pid = 0;
	errno = error;
	return -1;
}

int launcher_start(const struct rights *rights, bool dumps_allowed,
	unsigned needs, char *const argv[], struct relay_err *err)
{
	struct becoming is = {.rights = rights,
		.dumps_allowed = dumps_allowed,
		.needs = needs,
		.argv = argv,
		.server = getpid()};
	int ends[2], filter[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		return relay_fail(
			err, "cannot make a socket pair: %s", strerror(errno));
	if (pipe2(filter, O_CLOEXEC) != 0) {
		(void)relay_fail(
			err, "cannot make a pipe: %s", strerror(errno));
		(void)close(ends[0]);
		(void)close(ends[1]);
		return -1;
	}
	is.fd = ends[1];
	is.filter_fd = filter[1];
	return start(&is, ends[0], filter[0]) == 0
		       ? 0
		       : relay_fail(err, "cannot fork: %s", strerror(errno));
}

int launcher_take_filter(void)
{
	int fd = self()->filter_fd;

	self()->filter_fd = -1;
	return fd;
}

bool launcher_runs(void)
{
	return self()->pid != 0;
}

static int send_fds(int fd, const int *fds, size_t count)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(LAUNCHER_BATCH * sizeof(int))];
	} control;
	/* C libraries differ in the types of these. */
	socklen_t len = (socklen_t)CMSG_LEN(count * sizeof(int));
	socklen_t space = (socklen_t)CMSG_SPACE(count * sizeof(int));
	char byte = 0;
	struct iovec data = {.iov_base = &byte, .iov_len = 1};
	struct msghdr message = {.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = space};
	struct cmsghdr *head;
	ssize_t sent;

	memset(&control, 0, sizeof(control));
	head = CMSG_FIRSTHDR(&message);
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = len;
	memcpy(CMSG_DATA(head), fds, count * sizeof(int));
	do
		sent = sendmsg(fd, &message, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent == 1 ? 0 : -1;
}

static int ask(int fd, const int *fds, size_t count, const char *const *texts,
	struct launcher_answer *answer)
{
	struct launcher_request request = {.fds = (unsigned)count};
	size_t sent = 0;

	for (size_t i = 0; texts[i]; i++)
		request.text += (unsigned)strlen(texts[i]) + 1;
	if (launcher_write(fd, &request, sizeof(request)) != 0)
		return -1;
	while (sent < count) {
		size_t some = count - sent < LAUNCHER_BATCH ? count - sent
							    : LAUNCHER_BATCH;

		if (send_fds(fd, fds + sent, some) != 0)
			return -1;
		sent += some;
	}
	for (size_t i = 0; texts[i]; i++)
		if (launcher_write(fd, texts[i], strlen(texts[i]) + 1) != 0)
			return -1;
	return launcher_read(fd, answer, sizeof(*answer));
}

int launcher_launch(const int *fds, size_t count, const char *const *texts,
	pid_t *pid, struct relay_err *err)
{
	struct launcher *launcher = self();
	struct launcher_answer answer;
	int result;

	if (atomic_exchange(&launcher->busy, true))
		return relay_fail(err,
			"the program of the last upgrade has not begun to run "
			"yet");
	result = ask(launcher->fd, fds, count, texts, &answer);
	/* After an error it stays busy: what it reads next would be taken for
	 * something else. */
	if (result != 0)
		return relay_fail(err,
			"the process that starts programs, %d, does not "
			"answer: %s; a restart makes a new one",
			(int)launcher->pid, strerror(errno));
	atomic_store(&launcher->busy, false);
	if (answer.pid <= 0)
		return relay_fail(err, "%s", strerror(answer.error));
	*pid = answer.pid;
	return 0;
}

void launcher_finish(void)
{
	struct launcher *launcher = self();

	if (!launcher->pid)
		return;
	(void)kill(launcher->pid, SIGKILL);
	(void)close(launcher->fd);
	if (launcher->filter_fd >= 0)
		(void)close(launcher->filter_fd);
	while (waitpid(launcher->pid, NULL, 0) < 0 && errno == EINTR)
		;
	launcher->pid = 0;
}
