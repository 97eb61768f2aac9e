/* SPDX-License-Identifier: MPL-2.0 */

/* Forks of the server for a single task. */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child_process.h"
#include "base/file_wait.h"

/* The server's handlers would report a crash of the server itself. */
static void remove_crash_handlers(void)
{
	static const int signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		(void)signal(signals[i], SIG_DFL);
}

/* What a library prints before it gives up is not in the log's format.  A
 * sanitizer's report must remain visible. */
static void discard_stderr(void)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		(void)dup2(fd, STDERR_FILENO);
#endif
}

static struct file_wait *share_files(void)
{
	void *files = mmap(NULL, sizeof(struct file_wait),
		/* cppcheck-suppress invalidFunctionArg ; no file: mmap(2) */
		PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	/* cppcheck-suppress memleak ; the caller owns it */
	return files == MAP_FAILED ? NULL : files;
}

static void unshare_files(struct child_process *child)
{
	if (child->files)
		(void)munmap(child->files, sizeof(*child->files));
	child->files = NULL;
}

/* Called in the child: gives it a note of its own.  It must not use the
 * parent's note, since another thread may have held its lock during the fork.
 */
static void note_files(struct child_process *child)
{
	bool usable = child->files && file_wait_init(child->files) == 0;

	file_wait_here(usable ? child->files : NULL);
}

void child_process_file(const struct child_process *child,
	const char *otherwise, char *out, size_t cap)
{
	const volatile struct file_wait *files = child->files;
	size_t len = 0;

	/* Without the lock: a child that was killed may have held it. */
	if (files && files->since_ms != 0)
		for (; len + 1 < cap && len < sizeof(files->path) &&
			files->path[len];
			len++)
			out[len] = files->path[len];
	out[len] = '\0';
	if (len == 0)
		(void)snprintf(out, cap, "%s", otherwise);
}

int child_process_start(struct child_process *child)
{
	pid_t parent = getpid();
	sigset_t all, before;
	int ends[2], error;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	child->files = share_files();
	child->pid = fork();
	if (child->pid == 0) {
		remove_crash_handlers();
		note_files(child);
		/* If this fails, a child whose parent has died ends only when
		 * its work is done. */
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(EXIT_FAILURE);
		discard_stderr();
		child->fd = ends[1];
		return 1;
	}
	error = errno;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void)close(ends[1]);
	child->fd = ends[0];
	if (child->pid > 0)
		return 0;
	(void)close(ends[0]);
	unshare_files(child);
	errno = error;
	return -1;
}

int child_process_end(struct child_process *child, bool kill_it)
{
	int status = 0;

	if (kill_it)
		(void)kill(child->pid, SIGKILL);
	(void)close(child->fd);
	while (waitpid(child->pid, &status, 0) < 0)
		if (errno != EINTR) {
			status = -1;
			break;
		}
	unshare_files(child);
	return status;
}
