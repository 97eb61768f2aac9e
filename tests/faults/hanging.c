/* SPDX-License-Identifier: MPL-2.0 */

/* Makes files hang, as those of a network that is gone do; see README.md. */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "large_file.h"

#define EXPORT __attribute__((visibility("default")))

static char below[PATH_MAX], hold[PATH_MAX], held[PATH_MAX];

__attribute__((constructor)) static void set_up(void)
{
	const char *where = getenv("HANG_BELOW"), *file = getenv("HANG_WHILE");

	if (!where || !file)
		return;
	snprintf(below, sizeof(below), "%s", where);
	snprintf(hold, sizeof(hold), "%s", file);
	snprintf(held, sizeof(held), "%.4000s.held", file);
}

static bool holds(void)
{
	return hold[0] && syscall(SYS_faccessat, AT_FDCWD, hold, F_OK) == 0;
}

static void hang(void)
{
	const struct timespec step = {.tv_nsec = 10000000};
	int error = errno;
	long fd = syscall(SYS_openat, AT_FDCWD, held,
		O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	if (fd >= 0)
		syscall(SYS_close, fd);
	while (holds())
		nanosleep(&step, NULL);
	errno = error;
}

static void pass(const char *path)
{
	if (path && hold[0] && strncmp(path, below, strlen(below)) == 0 &&
		holds())
		hang();
}

static void pass_fd(int fd)
{
	char link[64], path[PATH_MAX];
	ssize_t len;

	if (!hold[0] || fd < 0 || !holds())
		return;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof(path) - 1);
	if (len <= 0)
		return;
	path[len] = '\0';
	pass(path);
}

#define NEXT_AS(name, symbol)                                                  \
	static _Atomic(__typeof__(&name)) next;                                \
	if (!next)                                                             \
	next = (__typeof__(&name))dlsym(RTLD_NEXT, symbol)
#define NEXT(name) NEXT_AS(name, #name)

EXPORT int open(const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;
	NEXT_AS(open, LARGE_FILE(open));

	va_start(ap, flags);
	mode = flags & O_CREAT ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	pass(path);
	return next(path, flags, mode);
}

EXPORT int openat(int dir, const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;
	NEXT_AS(openat, LARGE_FILE(openat));

	va_start(ap, flags);
	mode = flags & O_CREAT ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	if (path[0] == '/')
		pass(path);
	else
		pass_fd(dir);
	return next(dir, path, flags, mode);
}

EXPORT int stat(const char *path, struct stat *st)
{
	NEXT_AS(stat, LARGE_FILE(stat));

	pass(path);
	return next(path, st);
}

EXPORT int lstat(const char *path, struct stat *st)
{
	NEXT_AS(lstat, LARGE_FILE(lstat));

	pass(path);
	return next(path, st);
}

EXPORT int access(const char *path, int mode)
{
	NEXT(access);

	pass(path);
	return next(path, mode);
}

EXPORT int rename(const char *from, const char *to)
{
	NEXT(rename);

	pass(to);
	return next(from, to);
}

EXPORT ssize_t read(int fd, void *to, size_t size)
{
	NEXT(read);

	pass_fd(fd);
	return next(fd, to, size);
}

EXPORT ssize_t write(int fd, const void *from, size_t size)
{
	NEXT(write);

	pass_fd(fd);
	return next(fd, from, size);
}

EXPORT ssize_t writev(int fd, const struct iovec *from, int count)
{
	NEXT(writev);

	pass_fd(fd);
	return next(fd, from, count);
}

EXPORT int fsync(int fd)
{
	NEXT(fsync);

	pass_fd(fd);
	return next(fd);
}

/* The child calls execve() inside of the C library, while the caller waits. */
EXPORT int posix_spawnp(pid_t *pid, const char *file,
	const posix_spawn_file_actions_t *actions,
	const posix_spawnattr_t *attr, char *const argv[], char *const env[])
{
	NEXT(posix_spawnp);

	pass(file);
	return next(pid, file, actions, attr, argv, env);
}
