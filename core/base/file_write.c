/* SPDX-License-Identifier: MPL-2.0 */

/* Writes files at paths where other users may put something. */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <strelaysrv/file.h>

#include "base/file.h"

#define LINKS_MOST 8

int file_write_all(int fd, const void *data, size_t size)
{
	const char *at = data;

	while (size > 0) {
		ssize_t done = write(fd, at, size);

		if (done < 0 && errno != EINTR)
			return -1;
		if (done > 0) {
			at += done;
			size -= (size_t)done;
		}
	}
	return fsync(fd);
}

int file_make_beside(
	int dir, const char *path, mode_t mode, char *name, size_t room)
{
	const char *slash = strrchr(path, '/');
	int folder = slash ? (int)(slash + 1 - path) : 0, len;
	uint64_t mark;

	if (getrandom(&mark, sizeof(mark), GRND_NONBLOCK) !=
		(ssize_t)sizeof(mark))
		return -1;
	len = snprintf(name, room, "%.*s.%s.%016" PRIx64, folder, path,
		path + folder, mark);
	if (len < 0 || (size_t)len >= room) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return openat(dir, name,
		O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
}

int file_sync_dir(int dir)
{
	return fsync(dir) && errno != EINVAL && errno != EROFS ? -1 : 0;
}

/* The directory of a path; -1 with errno. */
static int open_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];

	(void)snprintf(folder, sizeof(folder), "%.*s",
		slash ? (int)(slash + 1 - path) : 1, slash ? path : ".");
	return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int fail(const char *path, int error, struct relay_err *err)
{
	return relay_fail(
		err, "cannot write %.160s: %s", path, strerror(error));
}

/* What cannot be replaced by a file. */
static bool is_directory(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* 0, or an errno; then nothing is left behind. */
static int put(const char *path, const char *beside, int fd, const void *data,
	size_t size)
{
	int error = file_write_all(fd, data, size) != 0 ? errno : 0, folder;

	if (close(fd) != 0 && !error)
		error = errno;
	if (!error && rename(beside, path) != 0)
		error = errno;
	if (error) {
		(void)unlink(beside);
		return error;
	}
	folder = open_folder(path);
	if (folder < 0)
		return errno;
	error = file_sync_dir(folder) != 0 ? errno : 0;
	(void)close(folder);
	return error;
}

int relay_file_replace(const char *path, const void *data, size_t size,
	unsigned mode, struct relay_err *err)
{
	char beside[PATH_MAX];
	int fd = file_make_beside(
		AT_FDCWD, path, (mode_t)mode, beside, sizeof(beside));
	int error = fd < 0 ? errno : put(path, beside, fd, data, size);

	return error ? fail(path, error, err) : 0;
}

int relay_file_try(const char *path, struct relay_err *err)
{
	char beside[PATH_MAX];
	int fd;

	if (is_directory(path))
		return fail(path, EISDIR, err);
	fd = file_make_beside(AT_FDCWD, path, 0600, beside, sizeof(beside));
	if (fd < 0)
		return fail(path, errno, err);
	(void)close(fd);
	return unlink(beside) == 0 ? 0 : fail(path, errno, err);
}

/* Appending. */

/*
 * Replaces path by what the link there points to.  The descriptor is the link
 * itself, so it cannot become another one between the two looks.  0, or an
 * errno: EPERM if it is a stranger's.
 */
static int follow(char path[PATH_MAX])
{
	int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC), error = 0, folder;
	char to[PATH_MAX], from[PATH_MAX];
	const char *slash = strrchr(path, '/');
	struct stat st;
	ssize_t len = -1;

	if (fd < 0)
		return errno;
	if (fstat(fd, &st) != 0)
		error = errno;
	else if (st.st_uid != 0 && st.st_uid != geteuid())
		error = EPERM;
	else if ((len = readlinkat(fd, "", to, sizeof(to) - 1)) < 0)
		error = errno;
	(void)close(fd);
	if (error)
		return error;
	to[len] = '\0';
	(void)snprintf(from, sizeof(from), "%s", path);
	folder = slash && to[0] != '/' ? (int)(slash + 1 - path) : 0;
	if (snprintf(path, PATH_MAX, "%.*s%s", folder, from, to) >= PATH_MAX)
		return ENAMETOOLONG;
	return 0;
}

static int open_appending(const char *path, unsigned mode)
{
	return open(path,
		O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY |
			O_NONBLOCK | O_NOFOLLOW,
		(mode_t)mode);
}

int relay_file_append(
	const char *path, unsigned mode, bool any, struct relay_err *err)
{
	char at[PATH_MAX];
	struct stat st;
	int fd, error = 0;

	if (snprintf(at, sizeof(at), "%s", path) >= (int)sizeof(at))
		return fail(path, ENAMETOOLONG, err);
	fd = open_appending(at, mode);
	for (int i = 0; fd < 0 && errno == ELOOP && i < LINKS_MOST; i++) {
		error = follow(at);
		if (error == EPERM)
			return relay_fail(err,
				"cannot write %.120s: it is another user's "
				"link",
				path);
		if (error)
			return fail(path, error, err);
		fd = open_appending(at, mode);
	}
	if (fd < 0)
		return fail(path, errno, err);
	if (any || (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)))
		return fd;
	(void)close(fd);
	return relay_fail(
		err, "cannot write %.160s: it is no regular file", path);
}
