/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What a process gives the one that it starts to take over: its listening
 * sockets, one end of a channel, and its environment that tells of both.
 *
 * inherited.h and takeover.h read it.  All is [C].
 */
#ifndef HERITAGE_H
#define HERITAGE_H

#include <sys/types.h>

#include <strelaysrv/err.h>

struct heritage {
	char **environment; /* owned array, NULL-terminated */
	char *sockets;      /* owned: one of its strings */
	char channel[40];   /* another */
	int *fds;           /* owned array: stay open in the new process */
	size_t count, room;
};

/* 0, or -1 with err; either way heritage_free() may be called. */
int heritage_make(
	struct heritage *heritage, int channel, struct relay_err *err);
void heritage_free(struct heritage *heritage);

/*
 * Starts the program as this one was started.  No other descriptor of ours
 * stays open there but 0, 1 and 2.  0, or -1 with err.
 */
int heritage_spawn(const struct heritage *heritage, char *const argv[],
	pid_t *pid, struct relay_err *err);

#endif
