/* SPDX-License-Identifier: MPL-2.0 */

/* Reads a file that controls access. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/guard_file.h"

#define SIZE_MOST (64 * 1024 * 1024) /* a million device IDs */

/*
 * A read lease is refused while another process has the file open for writing,
 * and a process that opens it for writing then waits until the lease is
 * released.  The kernel grants it only to the file's owner and on local disks;
 * otherwise only the text itself is checked.
 */
static bool is_being_written(int fd)
{
	/*
	 * The default signal of a broken lease, SIGIO, would end the process.
	 */
	if (fcntl(fd, F_SETSIG, SIGURG) != 0)
		return false;
	return fcntl(fd, F_SETLEASE, F_RDLCK) != 0 && errno == EAGAIN;
}

static bool same_moment(const struct stat *a, const struct stat *b)
{
	return a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static int look(
	int fd, const char *path, struct stat *st, struct relay_err *err)
{
	if (fstat(fd, st) != 0)
		return relay_fail(
			err, "cannot read %.150s: %s", path, strerror(errno));
	if (!S_ISREG(st->st_mode))
		return relay_fail(err, "%.150s is no regular file", path);
	if (is_being_written(fd))
		return relay_fail(err,
			"%.120s is open for writing; write to a new file and "
			"rename it",
			path);
	if (st->st_size == 0)
		return relay_fail(err,
			"%.120s is empty; write to a new file and rename it",
			path);
	if (st->st_size > SIZE_MOST)
		return relay_fail(err, "%.150s is larger than %d MiB", path,
			SIZE_MOST / 1024 / 1024);
	return 0;
}

static int read_all(int fd, struct guard_file *file)
{
	ssize_t got = 1;
	size_t len = 0;

	while (len < file->size && got > 0) {
		got = read(fd, file->text + len, file->size - len);
		if (got > 0)
			len += (size_t)got;
		else if (got < 0 && errno == EINTR)
			got = 1;
	}
	file->text[len] = '\0';
	errno = got < 0 ? errno : 0;
	return got < 0 || len < file->size ? -1 : 0;
}

static int take(int fd, const char *path, struct guard_file *file,
	struct relay_err *err)
{
	struct stat before, after;

	if (look(fd, path, &before, err) != 0)
		return -1;
	file->text = malloc((size_t)before.st_size + 1);
	if (!file->text)
		return relay_fail(err, "out of memory");
	file->size = (size_t)before.st_size;
	if (read_all(fd, file) != 0 && errno)
		return relay_fail(
			err, "cannot read %.150s: %s", path, strerror(errno));
	if (fstat(fd, &after) != 0 || !same_moment(&before, &after) ||
		strlen(file->text) < file->size)
		return relay_fail(err,
			"%.120s is not whole: it has bytes 0, or changed while "
			"it was read",
			path);
	return 0;
}

int guard_file_read(
	struct guard_file *file, const char *path, struct relay_err *err)
{
	/* Opening a pipe without a writer must not block the server. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK),
	    result;

	*file = (struct guard_file){0};
	if (fd < 0)
		return relay_fail(
			err, "cannot open %.150s: %s", path, strerror(errno));
	result = take(fd, path, file, err);
	(void)close(fd);
	return result;
}

char *guard_file_line(struct guard_file *file, bool *ended)
{
	char *line = file->text + file->at, *end;

	if (file->at >= file->size)
		return NULL;
	end = strchr(line, '\n');
	*ended = end != NULL;
	if (!end)
		end = file->text + file->size;
	file->at = (size_t)(end - file->text) + 1;
	file->line++;
	if (end > line && end[-1] == '\r')
		end--;
	*end = '\0';
	return line;
}

void guard_file_free(struct guard_file *file)
{
	if (file->text)
		explicit_bzero(file->text, file->size);
	free(file->text);
	*file = (struct guard_file){0};
}
