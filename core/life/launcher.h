/* SPDX-License-Identifier: MPL-2.0 */

/*
 * A child process that starts the new process of an upgrade.
 *
 * The sandbox of the server forbids to start programs, and whatever the server
 * starts would be in the same sandbox, though a new program may need more.  So
 * a child is made before, which has no sandbox, and which does only one thing:
 * when it is asked, it starts the server's program with the server's arguments.
 * Who asks chooses the descriptors, and the values of the three variables that
 * name them, and nothing else.  It is made before keys are read, has given up
 * the same rights as the server, ignores all signals, and ends with the server.
 *
 * At its start it makes the filter of system calls for the server, which goes
 * on meanwhile: libseccomp crashes without memory, and that must not be here.
 *
 * The new process is a child of the server (CLONE_PARENT of clone(2)).
 */
#ifndef LAUNCHER_H
#define LAUNCHER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <strelaysrv/err.h>

struct rights;

/* The number that the first descriptor has in the new process; the others
 * follow. */
#define LAUNCHER_FIRST_FD 4

/*
 * [C]  Makes it.  It borrows `argv`.  `needs`: see sandbox.h.  0, or -1 with
 * err.
 */
int launcher_start(const struct rights *rights, bool dumps_allowed,
	unsigned needs, char *const argv[], struct relay_err *err);
/* [C]  The end of a pipe with the filter's program; the caller's, once. */
int launcher_take_filter(void);
/* Whether there is one.  [*] */
bool launcher_runs(void);
/*
 * Starts the program with these descriptors, and with these variables
 * ("NAME=VALUE"; NULL ends them) of upgrade_variables.h.  Any thread; it waits
 * for the file system that the program is on.  0, or -1 with err.
 */
int launcher_launch(const int *fds, size_t count, const char *const *texts,
	pid_t *pid, struct relay_err *err);
/* [C]  Ends it.  Does nothing if there is none. */
void launcher_finish(void);

/* For launcher.c: what the child does; never returns.  `fd` is its end of the
 * socket. */
_Noreturn void launcher_serve(int fd, char *const argv[]);

/* What is sent to it before the descriptors, and what comes back. */
struct launcher_request {
	unsigned fds;  /* the first is the channel */
	unsigned text; /* bytes of texts after them, each with its '\0' */
};
struct launcher_answer {
	pid_t pid; /* 0: it failed with `error` */
	int error;
};

/* Descriptors are sent in messages of one byte; the kernel takes 253 at once
 * (SCM_MAX_FD). */
#define LAUNCHER_BATCH 200
/* Room for 64 listen addresses of 256 workers. */
#define LAUNCHER_FDS_MAX  20000U
#define LAUNCHER_TEXT_MAX (1U << 20)

/* Reads or writes all, also after interruptions.  0, or -1 with errno. */
int launcher_read(int fd, void *data, size_t size);
int launcher_write(int fd, const void *data, size_t size);

#endif
