/* SPDX-License-Identifier: MPL-2.0 */

/* Stores the meter in a file, replaced atomically. */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state.h"

#define HEAD "strelaysrv quota 1"

static const char *const names[METERS] = {
	[METER_DAY] = "day",
	[METER_MONTH] = "month",
};

static int parse(FILE *file, struct meter *meter)
{
	char line[128], name[16], rest;
	int64_t begin, relayed;

	if (!fgets(line, sizeof(line), file) || strcmp(line, HEAD "\n") != 0)
		return -1;
	for (int i = 0; i < METERS; i++) {
		if (!fgets(line, sizeof(line), file) ||
			/* Without the line end the number may be incomplete. */
			!strchr(line, '\n') ||
			sscanf(line, "%15s %" SCNd64 " %" SCNd64 " %c", name,
				&begin, &relayed, &rest) != 3 ||
			strcmp(name, names[i]) != 0 || begin < 0 ||
			relayed < 0 || relayed > INT64_MAX / 4)
			return -1;
		meter->begin_s[i] = begin;
		meter->relayed[i] = relayed;
	}
	return 0;
}

int state_read(const char *path, struct meter *meter, struct relay_err *err)
{
	FILE *file = fopen(path, "re");
	struct meter found = {0};
	int result;

	if (!file && errno == ENOENT)
		return 1;
	if (!file)
		return relay_fail(
			err, "cannot open %.150s: %s", path, strerror(errno));
	result = parse(file, &found);
	fclose(file);
	if (result != 0)
		return relay_fail(err,
			"%.150s is no quota state; remove it to begin at 0",
			path);
	*meter = found;
	return 0;
}

static int write_all(int fd, const struct meter *meter)
{
	char text[256];
	int len = snprintf(text, sizeof(text),
		HEAD "\n%s %" PRId64 " %" PRId64 "\n%s %" PRId64 " %" PRId64
		     "\n",
		names[METER_DAY], meter->begin_s[METER_DAY],
		meter->relayed[METER_DAY], names[METER_MONTH],
		meter->begin_s[METER_MONTH], meter->relayed[METER_MONTH]);

	if (len < 0 || write(fd, text, (size_t)len) != len)
		return -1;
	return fsync(fd);
}

/* Syncs the folder, so that the rename is on the disk. */
static int sync_folder(const char *path)
{
	char copy[PATH_MAX];
	int fd, result;

	if (snprintf(copy, sizeof(copy), "%s", path) >= (int)sizeof(copy))
		return -1;
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	result = fsync(fd);
	close(fd);
	return result;
}

static int fail(const char *path, int error, struct relay_err *err)
{
	return relay_fail(
		err, "cannot write %.150s: %s", path, strerror(error));
}

/* 0, or -1 with errno. */
static int write_beside(
	const char *path, const struct meter *meter, char beside[PATH_MAX])
{
	int fd, error;

	errno = ENAMETOOLONG;
	if (snprintf(beside, PATH_MAX, "%s.new", path) >= PATH_MAX)
		return -1;
	fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return -1;
	errno = EIO; /* EIO: short write */
	if (write_all(fd, meter) == 0)
		return close(fd);
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

int state_write(
	const char *path, const struct meter *meter, struct relay_err *err)
{
	char beside[PATH_MAX];

	if (write_beside(path, meter, beside) != 0 ||
		rename(beside, path) != 0 || sync_folder(path) != 0)
		return fail(path, errno, err);
	return 0;
}

int state_try(
	const char *path, const struct meter *meter, struct relay_err *err)
{
	char beside[PATH_MAX];
	struct stat st;

	/* What cannot be replaced by a file. */
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return fail(path, EISDIR, err);
	if (write_beside(path, meter, beside) != 0 || unlink(beside) != 0)
		return fail(path, errno, err);
	return 0;
}
