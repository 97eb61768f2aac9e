/* SPDX-License-Identifier: MPL-2.0 */

/* Opens module files in a child process, which may not survive it. */

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child_process.h"
#include "base/clock.h"
#include "base/file_wait.h"
#include "base/signal_name.h"
#include "modules/module.h"
#include "modules/module_probe.h"

/* How long one file may take in each of two attempts: the fork of a process
 * with threads may deadlock on a lock whose owner was not copied. */
#define ATTEMPT_MS 5000

struct module_probe {
	char *name, *path; /* owned */
	bool failed;       /* the child did not survive it */
	bool again;        /* it was slow once */
	char why[128];     /* if failed */
};

struct module_probes {
	size_t count;
	struct module_probe list[];
};

struct module_probes *module_probes_make(size_t most)
{
	struct module_probes *probes;

	return calloc(1, sizeof(*probes) + most * sizeof(probes->list[0]));
}

void module_probes_free(struct module_probes *probes)
{
	for (size_t i = 0; probes && i < probes->count; i++) {
		free(probes->list[i].name);
		free(probes->list[i].path);
	}
	free(probes);
}

int module_probes_add(
	struct module_probes *probes, const char *name, const char *path)
{
	struct module_probe *one = &probes->list[probes->count++];

	one->name = strdup(name);
	one->path = strdup(path);
	return one->name && one->path ? 0 : -1;
}

const char *module_probes_fault(
	const struct module_probes *probes, const char *name)
{
	for (size_t i = 0; i < probes->count; i++)
		if (strcmp(probes->list[i].name, name) == 0 &&
			probes->list[i].failed)
			return probes->list[i].why;
	return NULL;
}

/* Sends a byte for each file that is done. */
static _Noreturn void run_child(
	const struct module_probe *files, size_t count, int out)
{
	static const struct rlimit no_core = {0, 0};
	struct relay_err ignored;

	(void)setrlimit(RLIMIT_CORE, &no_core);
	for (size_t i = 0; i < count; i++) {
		(void)module_open(files[i].path, files[i].name, &ignored);
		if (write(out, "", 1) != 1)
			_exit(EXIT_FAILURE);
	}
	_exit(EXIT_SUCCESS);
}

/* Waits for the byte of one file.  Returns 1; 0 if the child has ended; -1 if
 * it takes too long. */
static int await(int in)
{
	int64_t end_ms = clock_ms() + ATTEMPT_MS, left;
	struct pollfd pollfd = {.fd = in, .events = POLLIN};
	char byte;
	ssize_t got;

	while ((left = end_ms - clock_ms()) > 0) {
		int ready = poll(&pollfd, 1, (int)left);

		/* Where poll(2) is missing, the read may take longer. */
		if (ready == 0 || (ready < 0 && errno == EINTR))
			continue;
		got = read(in, &byte, 1);
		if (got >= 0 || errno != EINTR)
			return got > 0;
	}
	return -1;
}

static void describe(struct module_probe *file, int heard, int status)
{
	file->failed = true;
	if (heard < 0)
		(void)snprintf(file->why, sizeof(file->why),
			"to open it takes longer than %d s",
			2 * ATTEMPT_MS / 1000);
	else if (WIFSIGNALED(status))
		(void)snprintf(file->why, sizeof(file->why),
			"it is damaged: a process that opens it ends by %s",
			signal_name(WTERMSIG(status)));
	else
		(void)snprintf(file->why, sizeof(file->why),
			"it is damaged: a process that opens it ends with code "
			"%d",
			WEXITSTATUS(status));
}

/* Returns how many files have been tried; the last one of them may have failed.
 */
static size_t try_some(struct module_probe *files, size_t count)
{
	struct child_process child;
	size_t done = 0;
	int heard = 1, status, started = child_process_start(&child);

	if (started < 0) {
		files[0].failed = true;
		(void)snprintf(files[0].why, sizeof(files[0].why),
			"no process to try it: %s", strerror(errno));
		return 1;
	}
	if (started == 1)
		run_child(files, count, child.fd);
	while (done < count && (heard = await(child.fd)) > 0)
		done++;
	/* A child that is blocked on a file may not end, even when killed. */
	file_wait_begin(files[done < count ? done : 0].path);
	status = child_process_end(&child, heard < 0);
	file_wait_end();
	if (done == count)
		return count;
	if (heard < 0 && !files[done].again) {
		files[done].again = true;
		return done;
	}
	describe(&files[done], heard, status);
	return done + 1;
}

void module_probe(struct module_probes *probes)
{
	for (size_t done = 0; done < probes->count;)
		done += try_some(probes->list + done, probes->count - done);
}
