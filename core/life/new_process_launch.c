/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Starts the new process on a thread of its own: the file system of the program
 * may not answer.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file_wait.h"
#include "life/new_process.h"
#include "loop/blocking_task.h"

/* What the thread uses. */
struct job {
	struct new_process process; /* owned */
	char *const *argv;
	bool failed;
	pid_t pid; /* 0: none, or the owner has taken it */
	struct relay_err err;
};

struct new_process_launch {
	struct task *task; /* owned */
	struct job *job;   /* valid as long as `task` */
};

/*
 * Reads the first bytes of the program.  If its file system does not answer,
 * this thread hangs here, and not a child, which would hold copies of the
 * listening sockets.  What is wrong otherwise, the start will tell.
 */
static void try_program(const char *path)
{
	char first[512];
	int fd;

	if (!strchr(path, '/')) /* it is searched in PATH */
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return;
	if (read(fd, first, sizeof(first)) < 0)
		errno = 0;
	(void)close(fd);
}

static void job_run(void *arg)
{
	struct job *job = arg;

	file_wait_begin(job->argv[0]);
	try_program(job->argv[0]);
	if (!file_wait_given_up())
		job->failed = new_process_start(&job->process, job->argv,
				      &job->pid, &job->err) != 0;
	file_wait_end();
}

/* Nobody waits for a process that is started this late. */
static void job_free(void *arg)
{
	struct job *job = arg;

	if (job->pid) {
		new_process_kill(job->pid);
		while (waitpid(job->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	new_process_free(&job->process);
	free(job);
}

static const struct task_kind kind = {.run = job_run, .free = job_free};

struct new_process_launch *new_process_launch(int channel, char *const argv[],
	struct loop *loop, struct relay_err *err)
{
	struct new_process_launch *launch = calloc(1, sizeof(*launch));
	struct job *job = calloc(1, sizeof(*job));

	(void)relay_fail(err, "out of memory");
	if (!launch || !job) {
		(void)close(channel);
		goto error;
	}
	job->argv = argv;
	launch->job = job;
	if (new_process_prepare(&job->process, channel, err) == 0)
		launch->task = task_start(&kind, job, loop, err);
	if (launch->task)
		return launch;
	new_process_free(&job->process);
error:
	free(launch);
	free(job);
	return NULL;
}

int new_process_launched(
	struct new_process_launch *launch, pid_t *pid, struct relay_err *err)
{
	struct job *job = launch->job;

	if (!task_wait(launch->task, 0))
		return task_hangs(launch->task, err) ? -1 : 0;
	if (job->failed) {
		*err = job->err;
		return -1;
	}
	*pid = job->pid;
	job->pid = 0;
	return 1;
}

void new_process_launch_free(struct new_process_launch *launch)
{
	if (!launch)
		return;
	task_drop(launch->task);
	free(launch);
}
