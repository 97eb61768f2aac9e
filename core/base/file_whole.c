/* SPDX-License-Identifier: MPL-2.0 */

/* Reads a file that somebody may still be writing. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <strelaysrv/file.h>

#include "base/file_wait.h"
#include "base/file_unchanged.h"
#include "base/time_span.h"

/* How long a file must not have changed if its writer cannot be detected. */
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

static int64_t ms_since(const struct timespec *then)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)(now.tv_sec - then->tv_sec) * 1000 +
	       (now.tv_nsec - then->tv_nsec) / 1000000;
}

/*
 * For how long the file has not changed.  Usually that follows from its
 * modification time.  If that is in the future, a program such as rsync has set
 * it, and the time of the last status change (ctime) is used.  If that is in
 * the future, too, this clock was set back, or the file system has another
 * clock: then the result is how long this thread has known the file unchanged.
 */
static int64_t age_ms(const struct stat *st)
{
	int64_t age = ms_since(&st->st_mtim);

	if (age < 0)
		age = ms_since(&st->st_ctim);
	return age < 0 ? file_unchanged_ms(st) : age;
}

bool relay_file_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	       a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

int relay_file_stat(const char *path, struct stat *st)
{
	int result;

	file_wait_begin(path);
	result = stat(path, st);
	file_wait_end();
	return result;
}

void relay_file_look(const char *path)
{
	struct stat st;

	if (relay_file_stat(path, &st) == 0)
		(void)age_ms(&st);
}

/* Waits until the file has not changed for SETTLE_MS. False: it was changed
 * meanwhile. */
static bool settle(int fd, struct stat *st)
{
	struct stat before;
	struct timespec left;
	int64_t age;

	if (fstat(fd, &before) != 0)
		return false;
	age = age_ms(&before);
	if (age < SETTLE_MS) {
		left = time_span_spec(SETTLE_MS - age);
		while (nanosleep(&left, &left) != 0 && errno == EINTR)
			;
	}
	return fstat(fd, st) == 0 && relay_file_same(&before, st);
}

static int check_writer(
	int fd, const char *path, struct stat *seen, struct relay_err *err)
{
	int written = is_being_written(fd);

	*seen = (struct stat){0};
	if (written == 0 || (written < 0 && settle(fd, seen)))
		return 0;
	return relay_fail(err,
		"%.120s is %s; write to a new file and rename it", path,
		written < 0 ? "being written" : "open for writing");
}

static int load(int fd, const char *path, size_t most, struct relay_file *file,
	struct stat *seen, struct relay_err *err)
{
	struct stat after;

	if (check_writer(fd, path, seen, err) != 0 ||
		relay_file_load(fd, path, most, file, err) != 0)
		return -1;
	if (seen->st_ino &&
		(fstat(fd, &after) != 0 || !relay_file_same(seen, &after)))
		return relay_fail(err,
			"%.120s is not whole: it changed while it was read",
			path);
	return 0;
}

int relay_file_read_whole(const char *path, size_t most,
	struct relay_file *file, struct stat *seen, struct relay_err *err)
{
	int fd = relay_file_open(path, most, err), result;
	struct stat unused;

	*file = (struct relay_file){0};
	if (fd < 0)
		return -1;
	result = load(fd, path, most, file, seen ? seen : &unused, err);
	(void)close(fd);
	return result;
}
