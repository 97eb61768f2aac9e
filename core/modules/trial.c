/* SPDX-License-Identifier: MPL-2.0 */

/* Opens module files in a child process, which may not survive it. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "modules/module.h"
#include "modules/trial.h"

/* How long one file may take in each of two attempts: a fork of a process with
 * threads may wait for ever for a lock whose owner it does not have. */
#define PATIENCE_MS 5000

/* The child's end must not look like one of the server's. */
static void prepare_child(void)
{
	static const int signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};
	static const struct rlimit no_core = {0, 0};

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		(void)signal(signals[i], SIG_DFL);
	(void)setrlimit(RLIMIT_CORE, &no_core);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	/* The dynamic linker prints what it finds before it gives up. */
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		(void)dup2(fd, STDERR_FILENO);
#endif
}

/* Sends a byte for each file that is done. */
static void run_child(const struct trial *files, size_t count, int out)
{
	struct relay_err ignored;

	for (size_t i = 0; i < count; i++) {
		(void)module_open(files[i].path, files[i].name, &ignored);
		if (write(out, "", 1) != 1)
			_exit(EXIT_FAILURE);
	}
	_exit(EXIT_SUCCESS);
}

/* Returns the child's id, and the end of the pipe to read from.  Signals stay
 * blocked in the child, since they are meant for the server. */
static pid_t begin(const struct trial *files, size_t count, int *in)
{
	pid_t parent = getpid(), pid;
	sigset_t all, before;
	int ends[2], error;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 ||
			getppid() != parent)
			_exit(EXIT_FAILURE);
		prepare_child();
		run_child(files, count, ends[1]);
	}
	error = errno;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void)close(ends[1]);
	*in = ends[0];
	if (pid < 0)
		(void)close(ends[0]);
	errno = error;
	return pid;
}

/* Waits for the byte of one file.  Returns 1; 0 if the child has ended; -1 if
 * it takes too long. */
static int await(int in)
{
	int64_t end_ms = clock_ms() + PATIENCE_MS, left;
	struct pollfd pollfd = {.fd = in, .events = POLLIN};
	char byte;
	ssize_t got;

	while ((left = end_ms - clock_ms()) > 0) {
		if (poll(&pollfd, 1, (int)left) <= 0)
			continue;
		got = read(in, &byte, 1);
		if (got >= 0 || errno != EINTR)
			return got > 0;
	}
	return -1;
}

static void describe(struct trial *file, int heard, int status)
{
	file->failed = true;
	if (heard < 0)
		(void)snprintf(file->why, sizeof(file->why),
			"to open it takes longer than %d s",
			2 * PATIENCE_MS / 1000);
	else if (WIFSIGNALED(status))
		(void)snprintf(file->why, sizeof(file->why),
			"it is damaged: a process that opens it ends by SIG%s",
			sigabbrev_np(WTERMSIG(status)));
	else
		(void)snprintf(file->why, sizeof(file->why),
			"it is damaged: a process that opens it ends with code "
			"%d",
			WEXITSTATUS(status));
}

/* Returns how many files have been tried; the last one of them may have failed.
 */
static size_t try_some(struct trial *files, size_t count)
{
	size_t done = 0;
	int in, heard = 1, status = 0;
	pid_t pid = begin(files, count, &in);

	if (pid < 0) {
		files[0].failed = true;
		(void)snprintf(files[0].why, sizeof(files[0].why),
			"no process to try it: %s", strerror(errno));
		return 1;
	}
	while (done < count && (heard = await(in)) > 0)
		done++;
	if (heard < 0)
		(void)kill(pid, SIGKILL);
	(void)close(in);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (done == count)
		return count;
	if (heard < 0 && !files[done].again) {
		files[done].again = true;
		return done;
	}
	describe(&files[done], heard, status);
	return done + 1;
}

void trial_open(struct trial *files, size_t count)
{
	for (size_t done = 0; done < count;)
		done += try_some(files + done, count - done);
}
