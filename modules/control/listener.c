/* SPDX-License-Identifier: MPL-2.0 */

/* The socket is made under another name and then renamed: so it is there as a
 * whole, with its rights, and takes the place of one that nobody uses. */

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>

#include "listener.h"

/* How many clients may wait to be accepted. */
#define BACKLOG 128

static int set_address(struct sockaddr_un *address, const char *path)
{
	size_t len = strlen(path);

	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (len >= sizeof(address->sun_path))
		return -1;
	memcpy(address->sun_path, path, len + 1);
	return 0;
}

static int unix_socket(struct relay_err *err)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return relay_fail(
			err, "cannot make a socket: %s", strerror(errno));
	return fd;
}

/* The process that listens there; 0: nobody does; -1: it is not known. */
static pid_t listening(const char *path)
{
	struct sockaddr_un address;
	struct ucred peer;
	socklen_t len = sizeof(peer);
	struct relay_err err;
	pid_t pid = -1;
	int fd;

	if (set_address(&address, path) != 0)
		return -1;
	fd = unix_socket(&err);
	if (fd < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		pid = errno == ECONNREFUSED || errno == ENOENT ? 0 : -1;
	else if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0)
		pid = peer.pid;
	(void)close(fd);
	return pid;
}

int listener_check(const char *path, struct relay_err *err)
{
	char folder[RELAY_CONTROL_PATH];
	const char *slash = strrchr(path, '/');
	struct stat st;

	if (!slash || path[0] != '/')
		return relay_fail(err,
			"socket = \"%s\" must be a full path, because clients "
			"run in other directories",
			path);
	(void)snprintf(folder, sizeof(folder), "%.*s",
		slash == path ? 1 : (int)(slash - path), path);
	if (access(folder, W_OK | X_OK) != 0)
		return relay_fail(err,
			"cannot make the control socket %s in %s: %s", path,
			folder, strerror(errno));
	if (lstat(path, &st) == 0 && !S_ISSOCK(st.st_mode))
		return relay_fail(err,
			"%s exists and is no socket: remove it, or name "
			"another path for the control socket",
			path);
	return 0;
}

int listener_group(const char *name, gid_t *group, struct relay_err *err)
{
	struct group found, *result = NULL;
	char text[16384];

	*group = getegid();
	if (!name[0])
		return 0;
	if (getgrnam_r(name, &found, text, sizeof(text), &result) != 0 ||
		!result)
		return relay_fail(err, "there is no group \"%s\"", name);
	*group = result->gr_gid;
	return 0;
}

/* chmod(2) of what `fd` is open for by O_PATH.  0, or -1 with errno. */
static int change_mode(int fd, const char *name, mode_t mode)
{
	char self[40];

	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	if (chmod(self, mode) == 0)
		return 0;
	/* Without /proc only the name is left. */
	return errno == ENOENT ? chmod(name, mode) : -1;
}

/*
 * Sets the rights before it listens: nobody can connect earlier.  Who may write
 * to the folder could put a link in the place of the socket, so they are set
 * for what is open, and only if that is a socket.
 */
static int set_rights(
	const struct listener *listener, mode_t mode, struct relay_err *err)
{
	int fd = open(listener->aside, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	int result = -1;

	if (fd < 0 || fstat(fd, &st) != 0)
		(void)relay_fail(err, "cannot make the control socket %s: %s",
			listener->path, strerror(errno));
	else if (!S_ISSOCK(st.st_mode) || st.st_uid != geteuid())
		(void)relay_fail(err,
			"cannot make the control socket %s: somebody has put "
			"another file in its place; only the server's user "
			"should be able to write to its folder",
			listener->path);
	else if (listener->group != getegid() &&
		 fchownat(fd, "", (uid_t)-1, listener->group, AT_EMPTY_PATH) !=
			 0)
		(void)relay_fail(err,
			"cannot give the control socket %s to the group %u: "
			"%s; the server's user must be a member",
			listener->path, (unsigned)listener->group,
			strerror(errno));
	else if (change_mode(fd, listener->aside, mode) != 0)
		(void)relay_fail(err, "cannot open the control socket %s: %s",
			listener->path, strerror(errno));
	else
		result = 0;
	if (fd >= 0)
		(void)close(fd);
	return result;
}

static int prepare(
	const struct listener *listener, mode_t mode, struct relay_err *err)
{
	struct sockaddr_un address;

	if (set_address(&address, listener->aside) != 0)
		return relay_fail(
			err, "the path %s is too long", listener->aside);
	if (bind(listener->fd, (struct sockaddr *)&address, sizeof(address)) !=
		0)
		return relay_fail(err, "cannot make the control socket %s: %s",
			listener->path, strerror(errno));
	if (set_rights(listener, mode, err) != 0)
		return -1;
	if (listen(listener->fd, BACKLOG) != 0)
		return relay_fail(err, "cannot open the control socket %s: %s",
			listener->path, strerror(errno));
	return 0;
}

static int make(struct listener *listener, mode_t mode, struct relay_err *err)
{
	struct stat st;

	(void)snprintf(listener->aside, sizeof(listener->aside), "%s.%d",
		listener->path, (int)getpid());
	/* A process of the same number may have died. */
	(void)unlink(listener->aside);
	if (prepare(listener, mode, err) != 0)
		return -1;
	if (lstat(listener->aside, &st) != 0)
		return relay_fail(err, "cannot make the control socket %s: %s",
			listener->path, strerror(errno));
	listener->dev = st.st_dev;
	listener->ino = st.st_ino;
	return 0;
}

int listener_publish(struct listener *listener, struct relay_err *err)
{
	if (rename(listener->aside, listener->path) != 0)
		return relay_fail(err, "cannot make the control socket %s: %s",
			listener->path, strerror(errno));
	listener->aside[0] = '\0';
	return 0;
}

static enum listener_result occupied(const char *path, struct relay_err *err)
{
	pid_t pid = listening(path);

	if (pid == 0)
		return LISTENER_OPEN;
	if (pid == getppid())
		return LISTENER_PARENT;
	if (pid > 0)
		(void)relay_fail(err,
			"the control socket %s is in use by process %d", path,
			(int)pid);
	else
		(void)relay_fail(err, "the control socket %s is in use", path);
	return LISTENER_FAILED;
}

enum listener_result listener_open(struct listener *listener, const char *path,
	mode_t mode, gid_t group, enum listener_how how, struct relay_err *err)
{
	enum listener_result result = LISTENER_OPEN;

	*listener = (struct listener){.fd = -1, .group = group};
	if (listener_check(path, err) != 0)
		return LISTENER_FAILED;
	if (how == LISTENER_NEW)
		result = occupied(path, err);
	if (result != LISTENER_OPEN)
		return result;
	listener->fd = unix_socket(err);
	if (listener->fd < 0)
		return LISTENER_FAILED;
	(void)snprintf(listener->path, sizeof(listener->path), "%s", path);
	if (make(listener, mode, err) == 0)
		return LISTENER_OPEN;
	listener_close(listener);
	return LISTENER_FAILED;
}

void listener_close(struct listener *listener)
{
	const char *name =
		listener->aside[0] ? listener->aside : listener->path;
	struct stat st;

	if (listener->event)
		event_free(listener->event);
	if (listener->fd >= 0) {
		if (lstat(name, &st) == 0 && st.st_dev == listener->dev &&
			st.st_ino == listener->ino)
			(void)unlink(name);
		(void)close(listener->fd);
	}
	*listener = (struct listener){.fd = -1};
}
