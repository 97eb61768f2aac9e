/* SPDX-License-Identifier: MPL-2.0 */

/* Reads a file that controls access. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "shared/guard_file.h"

#define SIZE_MOST (64 * 1024 * 1024) /* a million device IDs */

/* A file whose writer cannot be detected is taken when it has not changed for
 * so long. */
#define SETTLE_MS 1000

/*
 * A read lease is refused while another process has the file open for writing,
 * and a process that opens it for writing then waits until the lease is
 * released.  The kernel grants it only to the file's owner and on local disks.
 * 1, 0, or -1: unknown.
 */
static int is_being_written(int fd)
{
	/*
	 * The default signal of a broken lease, SIGIO, would end the process.
	 */
	if (fcntl(fd, F_SETSIG, SIGURG) != 0)
		return -1;
	if (fcntl(fd, F_SETLEASE, F_RDLCK) == 0)
		return 0;
	return errno == EAGAIN ? 1 : -1;
}

/* How long ago the file was written, by the wall clock; a file from the future
 * is as one that was written now. */
static int64_t age_ms(const struct stat *st)
{
	struct timespec now;
	int64_t age;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	age = (int64_t)(now.tv_sec - st->st_mtim.tv_sec) * 1000 +
	      (now.tv_nsec - st->st_mtim.tv_nsec) / 1000000;
	return age < 0 ? 0 : age;
}

bool guard_file_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	       a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

bool guard_file_settled(const struct stat *st)
{
	return age_ms(st) >= SETTLE_MS;
}

/* Waits until the file has not changed for SETTLE_MS.  False: it changes. */
static bool settle(int fd, struct stat *st)
{
	struct stat before;
	struct timespec left;
	int64_t age;

	if (fstat(fd, &before) != 0)
		return false;
	age = age_ms(&before);
	if (age < SETTLE_MS) {
		left = (struct timespec){.tv_sec = (SETTLE_MS - age) / 1000,
			.tv_nsec = (SETTLE_MS - age) % 1000 * 1000000};
		while (nanosleep(&left, &left) != 0 && errno == EINTR)
			;
	}
	return fstat(fd, st) == 0 && guard_file_same(&before, st);
}

static int check_writer(int fd, const char *path, struct guard_file *file,
	struct relay_err *err)
{
	int written = is_being_written(fd);

	file->sure = written == 0;
	if (written == 0 || (written < 0 && settle(fd, &file->st)))
		return 0;
	return relay_fail(err,
		"%.120s is %s; write to a new file and rename it", path,
		written < 0 ? "being written" : "open for writing");
}

static int check_text(
	const char *path, const struct relay_file *text, struct relay_err *err)
{
	unsigned line = relay_text_fault(text->text, text->size);

	if (text->size == 0)
		return relay_fail(err,
			"%.120s is empty; write to a new file and rename it",
			path);
	if (strlen(text->text) < text->size)
		return relay_fail(err,
			"%.120s is not whole, or no text: it has bytes 0",
			path);
	if (line)
		return relay_fail(err,
			"%.120s:%u: there is a byte that is no part of UTF-8",
			path, line);
	return 0;
}

static int take(int fd, const char *path, struct guard_file *file,
	struct relay_err *err)
{
	struct stat after;

	if (check_writer(fd, path, file, err) != 0 ||
		relay_file_load(fd, path, SIZE_MOST, &file->text, err) != 0)
		return -1;
	if (!file->sure &&
		(fstat(fd, &after) != 0 || !guard_file_same(&file->st, &after)))
		return relay_fail(err,
			"%.120s is not whole: it changed while it was read",
			path);
	return check_text(path, &file->text, err);
}

int guard_file_read(
	struct guard_file *file, const char *path, struct relay_err *err)
{
	int fd, result;

	*file = (struct guard_file){.sure = true};
	fd = relay_file_open(path, SIZE_MOST, err);
	if (fd < 0)
		return -1;
	result = take(fd, path, file, err);
	(void)close(fd);
	return result;
}

char *guard_file_line(struct guard_file *file, bool *ended)
{
	char *line = file->text.text + file->at, *end;

	if (file->at >= file->text.size)
		return NULL;
	end = strchr(line, '\n');
	*ended = end != NULL;
	if (!end)
		end = file->text.text + file->text.size;
	file->at = (size_t)(end - file->text.text) + 1;
	file->line++;
	if (end > line && end[-1] == '\r')
		end--;
	*end = '\0';
	return line;
}

void guard_file_free(struct guard_file *file)
{
	relay_file_free(&file->text);
	*file = (struct guard_file){0};
}
