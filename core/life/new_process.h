/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Starts the new process of an upgrade: with the listening sockets, one end of
 * the channel, and an environment that names their descriptors.
 *
 * In the new process, inherited.h and takeover.h read that.  All is [C].
 */
#ifndef NEW_PROCESS_H
#define NEW_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include <strelaysrv/device_id.h>
#include <strelaysrv/err.h>

#include "life/handover.h"

struct loop;
struct new_process_launch;

struct new_process {
	int channel_fd;     /* owned: the new process's end; -1: none */
	char **environment; /* owned array, NULL-terminated */
	char *sockets; /* owned; a string of environment, once that is made */
	char channel[40]; /* strings of environment: it cannot be moved */
	char id[sizeof(HANDOVER_ID "=") + RELAY_DEVICE_ID_TEXT];
	int *fds; /* owned array: stay open in the new process */
	size_t count, room;
};

/* Owns `channel`, the new process's end.  0, or -1 with err; either way
 * new_process_free() may be called. */
int new_process_prepare(
	struct new_process *process, int channel, struct relay_err *err);
void new_process_free(struct new_process *process);

/*
 * Starts the program with this process's arguments.  Besides `fds` only the
 * descriptors 0, 1 and 2 stay open there.  Any thread; it waits for the file
 * system that the program is on.  0, or -1 with err.
 */
int new_process_start(const struct new_process *process, char *const argv[],
	pid_t *pid, struct relay_err *err);

/*
 * Prepares it, and starts it on another thread.  Owns `channel`, also after an
 * error, and borrows argv until the end of the process.  NULL with err.
 */
struct new_process_launch *new_process_launch(int channel, char *const argv[],
	struct loop *loop, struct relay_err *err);
/* 1: *pid is the new process, which is the caller's now.  0: not yet.  -1 with
 * err: it could not be started, or the program's file does not answer. */
int new_process_launched(
	struct new_process_launch *launch, pid_t *pid, struct relay_err *err);
/* A process that was started and not taken is killed.  Accepts NULL. */
void new_process_launch_free(struct new_process_launch *launch);
/*
 * Kills it and all that it has started: its process group, which is its own
 * until it joins another one (takeover.h).  `pid` must not have been reaped,
 * since its number may be another's then.
 */
void new_process_kill(pid_t pid);
/* Sends SIGINT to it alone, if it still leads its own group: otherwise the
 * terminal that interrupted this process has reached it.  Safe in a signal
 * handler. */
void new_process_interrupt(pid_t pid);
/* 0 if it has ended, and *well: with exit code 0; -1: it runs.  Does not reap
 * it. */
int new_process_ended(pid_t pid, bool *well);
/* What waitpid() said of its end, for the log: "ended with code 1". */
void new_process_describe_end(int status, char *out, size_t cap);

#endif
