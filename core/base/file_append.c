/* SPDX-License-Identifier: MPL-2.0 */

/* Appends to files at paths where other users may put something. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <strelaysrv/file.h>

#include "base/file_wait.h"

#define LINKS_MOST 8
#define NO_FILE    "it is no regular file"
/* Somebody may have put another file in place under this name. */
#define HARD_LINKS "the file has another name, too (a hard link)"

/* Where a path leads.  The folder is open, so that it cannot become another one
 * between the checks and the use. */
struct place {
	char path[PATH_MAX];
	const char *name; /* in the folder; points into path */
	int folder;
	/*
	 * The link is one of the kernel's, such as /proc/self/fd/1.  Its text
	 * need not be a path ("pipe:[123]", "/log (deleted)"), so the kernel
	 * must follow it.
	 */
	bool magic;
};

/* 0, or an errno. */
static int enter(struct place *place)
{
	char *slash = strrchr(place->path, '/'), folder[PATH_MAX];

	place->name = slash ? slash + 1 : place->path;
	(void)snprintf(folder, sizeof(folder), "%.*s",
		slash ? (int)(slash + 1 - place->path) : 1,
		slash ? place->path : ".");
	place->folder = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (place->folder < 0)
		return errno;
	return place->name[0] ? 0 : EISDIR;
}

static void leave(struct place *place)
{
	if (place->folder >= 0)
		(void)close(place->folder);
	place->folder = -1;
}

/* Reads the link `fd`; *len is -1 if there is no text to follow.  0, or an
 * errno: ELOOP if it is another user's. */
static int read_link(
	int fd, struct place *place, char to[PATH_MAX], ssize_t *len)
{
	struct statfs fs;
	struct stat st;

	*len = -1;
	if (fstat(fd, &st) != 0)
		return errno;
	if (!S_ISLNK(st.st_mode))
		return 0;
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return ELOOP;
	if (fstatfs(fd, &fs) != 0)
		return errno;
	place->magic = fs.f_type == PROC_SUPER_MAGIC;
	if (place->magic)
		return 0;
	*len = readlinkat(fd, "", to, PATH_MAX - 1);
	return *len < 0 ? errno : 0;
}

/* If the place is a link, follows it and sets *more. */
static int follow(struct place *place, bool *more)
{
	int fd = openat(
		place->folder, place->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	char to[PATH_MAX], from[PATH_MAX];
	int error, folder;
	ssize_t len;

	*more = false;
	if (fd < 0)
		return errno == ENOENT ? 0 : errno;
	error = read_link(fd, place, to, &len);
	(void)close(fd);
	if (error || len < 0)
		return error;
	*more = true;
	to[len] = '\0';
	folder = to[0] == '/' ? 0 : (int)(place->name - place->path);
	(void)snprintf(from, sizeof(from), "%s", place->path);
	leave(place);
	if (snprintf(place->path, PATH_MAX, "%.*s%s", folder, from, to) >=
		PATH_MAX)
		return ENAMETOOLONG;
	return enter(place);
}

static int fail(const char *path, int error, struct relay_err *err)
{
	return relay_fail(
		err, "cannot write %.160s: %s", path, strerror(error));
}

/* 0, or -1 with err.  Call leave() in both cases. */
static int find(const char *path, struct place *place, struct relay_err *err)
{
	bool more = true;
	int error;

	*place = (struct place){.folder = -1};
	if (snprintf(place->path, PATH_MAX, "%s", path) >= PATH_MAX)
		return fail(path, ENAMETOOLONG, err);
	error = enter(place);
	for (int i = 0; !error && more; i++)
		error = i > LINKS_MOST ? EMLINK : follow(place, &more);
	if (error == ELOOP)
		return relay_fail(err,
			"cannot write %.120s: it is another user's link", path);
	if (error == EMLINK)
		error = ELOOP;
	return error ? fail(path, error, err) : 0;
}

/* Fills err with the reason why open(2) failed.  For a socket its errno is
 * ENXIO, whose text, "no such device", would mislead. */
static int fail_open(const struct place *place, const char *path, int error,
	struct relay_err *err)
{
	struct stat st;

	if (fstatat(place->folder, place->name, &st,
		    place->magic ? 0 : AT_SYMLINK_NOFOLLOW) == 0 &&
		S_ISSOCK(st.st_mode))
		return relay_fail(
			err, "cannot write %.160s: it is a socket", path);
	return fail(path, error, err);
}

static int append(
	const char *path, unsigned mode, bool any, struct relay_err *err)
{
	const char *error = NULL;
	struct place place;
	struct stat st;
	int fd = -1;

	if (find(path, &place, err) != 0)
		goto out;
	fd = openat(place.folder, place.name,
		O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY |
			O_NONBLOCK | (place.magic ? 0 : O_NOFOLLOW),
		(mode_t)mode);
	if (fd < 0) {
		(void)fail_open(&place, path, errno, err);
		goto out;
	}
	if (fstat(fd, &st) != 0)
		error = strerror(errno);
	else if (!S_ISREG(st.st_mode))
		error = any ? NULL : NO_FILE;
	else if (st.st_nlink > 1 && !place.magic)
		error = HARD_LINKS;
	if (!error)
		goto out;
	(void)close(fd);
	fd = relay_fail(err, "cannot write %.160s: %s", path, error);
out:
	leave(&place);
	return fd;
}

int relay_file_append(
	const char *path, unsigned mode, bool any, struct relay_err *err)
{
	int fd;

	file_wait_begin(path);
	fd = append(path, mode, any, err);
	file_wait_end();
	return fd;
}

/* A pipe is not opened, because its reader would get an end of file. */
static int try_place(
	const struct place *place, const char *path, struct relay_err *err)
{
	struct stat st;

	if (fstatat(place->folder, place->name, &st,
		    place->magic ? 0 : AT_SYMLINK_NOFOLLOW) != 0) {
		if (errno == ENOENT && faccessat(place->folder, ".",
					       W_OK | X_OK, AT_EACCESS) == 0)
			return 0;
		return fail(path, errno, err);
	}
	if (S_ISDIR(st.st_mode))
		return fail(path, EISDIR, err);
	if (S_ISSOCK(st.st_mode))
		return fail_open(place, path, ENXIO, err);
	if (S_ISREG(st.st_mode) && st.st_nlink > 1 && !place->magic)
		return relay_fail(
			err, "cannot write %.160s: %s", path, HARD_LINKS);
	return faccessat(place->folder, place->name, W_OK, AT_EACCESS) == 0
		       ? 0
		       : fail(path, errno, err);
}

int relay_file_append_try(const char *path, struct relay_err *err)
{
	struct place place;
	int result;

	file_wait_begin(path);
	result = find(path, &place, err);
	if (result == 0)
		result = try_place(&place, path, err);
	leave(&place);
	file_wait_end();
	return result;
}

static int append_all(int fd, const char *path, const char *text, size_t size,
	struct relay_err *err)
{
	while (size > 0) {
		ssize_t done = write(fd, text, size);

		if (done < 0 && errno != EINTR)
			return fail(path, errno, err);
		if (done > 0) {
			text += done;
			size -= (size_t)done;
		}
	}
	return 0;
}

int relay_file_append_text(const char *path, unsigned mode, const char *text,
	size_t size, struct relay_err *err)
{
	int fd, result = -1;

	file_wait_begin(path);
	fd = append(path, mode, false, err);
	if (fd >= 0) {
		result = append_all(fd, path, text, size, err);
		if (close(fd) != 0 && result == 0)
			result = fail(path, errno, err);
	}
	file_wait_end();
	return result;
}
