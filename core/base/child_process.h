/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Child processes that do one task of the server with its memory (a fork, not
 * another program), and may crash or hang at it.
 */
#ifndef CHILD_PROCESS_H
#define CHILD_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct file_wait;

struct child_process {
	pid_t pid;
	int fd; /* read end of a pipe from the child; owned */
	/* Memory that both have; the child notes in it which file it waits for.
	 * NULL: none. */
	struct file_wait *files;
};

/*
 * Forks.  Returns 0 in the parent, or -1 with errno.
 *
 * Returns 1 in the child, which writes to child->fd and leaves by _exit().  In
 * it all signals are blocked, since they are meant for the server; the server's
 * crash handlers are removed; what libraries print is discarded; and it is
 * killed when the thread that called this ends.
 */
int child_process_start(struct child_process *child);

/* Writes the path of the file that the child waits for now, or `otherwise`. Not
 * exact: the child may be about to change it. */
void child_process_file(const struct child_process *child,
	const char *otherwise, char *out, size_t cap);

/* Closes the pipe and waits for the child's end, after killing it if `kill_it`.
 * Returns its status as waitpid() sets it, or -1. */
int child_process_end(struct child_process *child, bool kill_it);

#endif
