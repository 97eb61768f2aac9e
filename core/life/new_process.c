/* SPDX-License-Identifier: MPL-2.0 */

/* Starts the new process of an upgrade. */

#include <errno.h>
#include <limits.h>
#include <linux/close_range.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <strelaysrv/server.h>

#include "base/signal_name.h"
#include "life/handover.h"
#include "life/launcher.h"
#include "life/new_process.h"
#include "life/upgrade_variables.h"
#include "http/http.h"
#include "net/inherited.h"
#include "peers/listeners.h"

/* Room for ",private:2147483647". */
#define ENTRY 24

static int add_fd(struct new_process *process, int fd)
{
	size_t room = process->room ? process->room * 2 : 16;
	int *fds;

	if (process->count == process->room) {
		fds = reallocarray(process->fds, room, sizeof(*fds));
		if (!fds)
			return -1;
		process->fds = fds;
		process->room = room;
	}
	process->fds[process->count++] = fd;
	return 0;
}

/* The number that the next descriptor will have in the new process. */
static int number_there(const struct new_process *process, int fd)
{
	return launcher_runs() ? LAUNCHER_FIRST_FD + (int)process->count : fd;
}

static int add_socket(enum inherited_use use, int fd, void *arg)
{
	struct new_process *process = arg;
	size_t len = process->sockets ? strlen(process->sockets) : 0;
	char *sockets = realloc(
		process->sockets, len + sizeof(INHERITED_SOCKETS) + ENTRY);

	if (!sockets)
		return -1;
	process->sockets = sockets;
	(void)snprintf(sockets + len, sizeof(INHERITED_SOCKETS) + ENTRY,
		"%s%s:%d", len ? "," : INHERITED_SOCKETS "=",
		inherited_use_words[use], number_there(process, fd));
	return add_fd(process, fd);
}

static int make_environment(struct new_process *process)
{
	size_t count = 0, kept = 0;

	while (environ[count])
		count++;
	process->environment = calloc(count + 4, sizeof(*process->environment));
	if (!process->environment)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (!upgrade_variables_has(environ[i]))
			process->environment[kept++] = environ[i];
	process->environment[kept++] = process->channel;
	process->environment[kept++] = process->id;
	process->environment[kept] = process->sockets;
	return 0;
}

int new_process_prepare(
	struct new_process *process, int channel, struct relay_err *err)
{
	char id[RELAY_DEVICE_ID_TEXT];

	*process = (struct new_process){.channel_fd = channel};
	(void)snprintf(process->channel, sizeof(process->channel),
		HANDOVER_CHANNEL "=%d", number_there(process, channel));
	relay_device_id_format(relay_server_id(), id);
	(void)snprintf(process->id, sizeof(process->id), HANDOVER_ID "=%s", id);
	if (add_fd(process, channel) == 0 &&
		listeners_each(add_socket, process) == 0 &&
		http_each_socket(add_socket, process) == 0 &&
		make_environment(process) == 0)
		return 0;
	return relay_fail(err, "out of memory");
}

void new_process_free(struct new_process *process)
{
	free(process->environment);
	free(process->sockets);
	free(process->fds);
	if (process->channel_fd >= 0)
		(void)close(process->channel_fd);
	*process = (struct new_process){.channel_fd = -1};
}

/* The new process would inherit ignored and blocked signals.  It leads a group
 * of its own, so that all that it starts can be ended with it. */
static int set_attributes(posix_spawnattr_t *attr)
{
	const short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
			    POSIX_SPAWN_SETPGROUP;
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	return posix_spawnattr_setsigmask(attr, &none) ||
			       posix_spawnattr_setsigdefault(attr, &all) ||
			       posix_spawnattr_setpgroup(attr, 0) ||
			       posix_spawnattr_setflags(attr, flags)
		       ? -1
		       : 0;
}

void new_process_kill(pid_t pid)
{
	(void)kill(-pid, SIGKILL);
	/* It may have joined another group, and left there what it started. */
	(void)kill(pid, SIGKILL);
}

void new_process_interrupt(pid_t pid)
{
	if (getpgid(pid) == pid)
		(void)kill(pid, SIGINT);
}

int new_process_ended(pid_t pid, bool *well)
{
	siginfo_t info = {.si_pid = 0};

	if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
		info.si_pid != pid)
		return -1;
	*well = info.si_code == CLD_EXITED && info.si_status == 0;
	return 0;
}

/* dup2 of a descriptor to itself clears close-on-exec (posix_spawn(3)). */
static int keep_open(
	posix_spawn_file_actions_t *actions, const struct new_process *process)
{
	for (size_t i = 0; i < process->count; i++)
		if (posix_spawn_file_actions_adddup2(
			    actions, process->fds[i], process->fds[i]) != 0)
			return -1;
	return 0;
}

static int spawn(
	const struct new_process *process, char *const argv[], pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	int error = ENOMEM;

	if (posix_spawn_file_actions_init(&actions) != 0)
		return error;
	if (posix_spawnattr_init(&attr) != 0)
		goto error_attr;
	/* Libraries may have opened some without close-on-exec.  Kernels before
	 * 5.11 cannot do this; there they stay open. */
	(void)syscall(SYS_close_range, STDERR_FILENO + 1, UINT_MAX,
		CLOSE_RANGE_CLOEXEC);
	if (set_attributes(&attr) == 0 && keep_open(&actions, process) == 0)
		error = posix_spawnp(pid, argv[0], &actions, &attr, argv,
			process->environment);
	posix_spawnattr_destroy(&attr);
error_attr:
	posix_spawn_file_actions_destroy(&actions);
	return error;
}

int new_process_start(const struct new_process *process, char *const argv[],
	pid_t *pid, struct relay_err *err)
{
	struct relay_err why;

	if (!launcher_runs()) {
		int error = spawn(process, argv, pid);

		if (error == 0)
			return 0;
		(void)relay_fail(&why, "%s", strerror(error));
	} else {
		const char *const texts[] = {
			process->channel, process->id, process->sockets, NULL};

		if (launcher_launch(process->fds, process->count, texts, pid,
			    &why) == 0)
			return 0;
	}
	return relay_fail(
		err, "cannot start %.150s: %.300s", argv[0], why.text);
}

void new_process_describe_end(int status, char *out, size_t cap)
{
	if (WIFSIGNALED(status))
		(void)snprintf(out, cap, "was ended by %s",
			signal_name(WTERMSIG(status)));
	else
		(void)snprintf(
			out, cap, "ended with code %d", WEXITSTATUS(status));
}
