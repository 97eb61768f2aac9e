/* SPDX-License-Identifier: MPL-2.0 */

/* Replaces files at paths where other users may put something. */

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
#include "base/file_wait.h"

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

/* rename(2) cannot replace a directory by a file. */
static bool is_directory(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/*
 * 0, or an errno, and then no temporary file remains.  The folder must be open
 * before, since after the rename an error could not be undone.
 */
static int put(const char *path, const char *beside, int fd, const void *data,
	size_t size)
{
	int error = file_write_all(fd, data, size) != 0 ? errno : 0;

	if (close(fd) != 0 && !error)
		error = errno;
	/* If this write was given up, a later one may have replaced the file by
	 * now. */
	if (!error && file_wait_given_up())
		error = ECANCELED;
	if (!error && rename(beside, path) != 0)
		error = errno;
	if (error)
		(void)unlink(beside);
	return error;
}

static int replace(const char *path, const void *data, size_t size, mode_t mode)
{
	int folder = open_folder(path), fd, error;
	char beside[PATH_MAX];

	if (folder < 0)
		return errno;
	fd = file_make_beside(AT_FDCWD, path, mode, beside, sizeof(beside));
	error = fd < 0 ? errno : put(path, beside, fd, data, size);
	if (!error && file_sync_dir(folder) != 0)
		error = errno;
	(void)close(folder);
	return error;
}

int relay_file_replace(const char *path, const void *data, size_t size,
	unsigned mode, struct relay_err *err)
{
	int error;

	file_wait_begin(path);
	error = replace(path, data, size, (mode_t)mode);
	file_wait_end();
	return error ? fail(path, error, err) : 0;
}

static int try_beside(const char *path, struct relay_err *err)
{
	char beside[PATH_MAX];
	int fd;

	if (is_directory(path))
		return fail(path, EISDIR, err);
	fd = open_folder(path);
	if (fd < 0)
		return fail(path, errno, err);
	(void)close(fd);
	fd = file_make_beside(AT_FDCWD, path, 0600, beside, sizeof(beside));
	if (fd < 0)
		return fail(path, errno, err);
	(void)close(fd);
	return unlink(beside) == 0 ? 0 : fail(path, errno, err);
}

int relay_file_try(const char *path, struct relay_err *err)
{
	int result;

	file_wait_begin(path);
	result = try_beside(path, err);
	file_wait_end();
	return result;
}
