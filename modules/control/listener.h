/* SPDX-License-Identifier: MPL-2.0 */

/* listener.h - the socket that clients connect to, and its path. */
#ifndef LISTENER_H
#define LISTENER_H

#include <stdbool.h>
#include <sys/types.h>

#include <strelaysrv/module.h>

struct event;

struct listener {
	int fd;              /* owned; -1: none */
	struct event *event; /* owned; NULL: it accepts nothing yet */
	gid_t group;         /* of the file: its members may give commands */
	dev_t dev;           /* identify the file */
	ino_t ino;
	char path[RELAY_CONTROL_PATH];
	/* Where it is until listener_publish(); "": it is at `path`. */
	char aside[RELAY_CONTROL_PATH + 16];
};

/* How a path is to be taken. */
enum listener_how {
	LISTENER_NEW,     /* refuse one that is in use */
	LISTENER_REPLACE, /* another process of the same server may use it */
};

enum listener_result {
	LISTENER_OPEN,
	LISTENER_PARENT, /* the process that started this one uses the path */
	LISTENER_FAILED, /* err says why */
};

/* Whether a socket could be made at that path, as far as can be known without
 * making one.  0, or -1 with err.  [*] */
int listener_check(const char *path, struct relay_err *err);
/* The number of the group of that name, or the process's if it is "".  0, or -1
 * with err. */
int listener_group(const char *name, gid_t *group, struct relay_err *err);
/*
 * Makes a socket for that path with these permission bits and that group, but
 * aside: nobody knows its name.  A socket at the path that nobody uses will be
 * replaced, any other file is an error.
 */
enum listener_result listener_open(struct listener *listener, const char *path,
	mode_t mode, gid_t group, enum listener_how how, struct relay_err *err);
/* Gives it its path.  0, or -1 with err: it is as before. */
int listener_publish(struct listener *listener, struct relay_err *err);
/* Closes it, and removes its file unless another process has replaced it.
 * Accepts one that is not open. */
void listener_close(struct listener *listener);

#endif
