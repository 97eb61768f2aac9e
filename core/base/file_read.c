/* SPDX-License-Identifier: MPL-2.0 */

/* Reads a regular file completely. */

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <strelaysrv/file.h>

#include "base/file_wait.h"

/* A long file is read in pieces, so that one whose system is slow but answers
 * does not look like one that hangs. */
#define PIECE ((size_t)1024 * 1024)

static int look(int fd, const char *path, size_t most, struct stat *st,
	struct relay_err *err)
{
	if (fstat(fd, st) != 0)
		return relay_fail(
			err, "cannot read %.160s: %s", path, strerror(errno));
	if (S_ISDIR(st->st_mode))
		return relay_fail(
			err, "%.160s is a directory, not a file", path);
	if (!S_ISREG(st->st_mode))
		return relay_fail(err, "%.160s is no regular file", path);
	if (st->st_size > (off_t)most)
		return relay_fail(err,
			"%.160s is too large: at most %zu bytes are read", path,
			most);
	return 0;
}

static int open_and_look(const char *path, size_t most, struct relay_err *err)
{
	/* Without O_NONBLOCK, opening a pipe waits for its writer. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	/* A socket, or a device without a driver: "no such device or address"
	 * would mislead. */
	if (fd < 0 && errno == ENXIO)
		return relay_fail(err, "%.160s is no regular file", path);
	if (fd < 0)
		return relay_fail(
			err, "cannot open %.160s: %s", path, strerror(errno));
	if (look(fd, path, most, &st, err) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

int relay_file_open(const char *path, size_t most, struct relay_err *err)
{
	int fd;

	file_wait_begin(path);
	fd = open_and_look(path, most, err);
	file_wait_end();
	return fd;
}

static bool same_moment(const struct stat *a, const struct stat *b)
{
	return a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Reads up to the end or to `most` bytes.  The number, or -1 with errno. */
static ssize_t read_up_to(int fd, const char *path, char *text, size_t most)
{
	size_t len = 0;

	while (len < most) {
		size_t left = most - len;
		ssize_t got;

		file_wait_begin(path);
		got = read(fd, text + len, left < PIECE ? left : PIECE);
		file_wait_end();
		if (got == 0)
			break;
		if (got < 0 && errno != EINTR)
			return -1;
		if (got > 0)
			len += (size_t)got;
	}
	return (ssize_t)len;
}

#define MARK "\xef\xbb\xbf"

/* Removes the byte order mark that editors on Windows write.  It would be a
 * part of a token or a name, and nobody would see it. */
static void skip_mark(struct relay_file *file)
{
	size_t mark = strlen(MARK);

	if (file->size < mark || memcmp(file->text, MARK, mark) != 0)
		return;
	file->size -= mark;
	memmove(file->text, file->text + mark, file->size);
	explicit_bzero(file->text + file->size, mark);
}

unsigned relay_text_mark(const char *text)
{
	const char *mark = strstr(text, MARK);
	unsigned line = 1;

	if (!mark)
		return 0;
	for (; text < mark; text++)
		line += *text == '\n';
	return line;
}

int relay_file_load(int fd, const char *path, size_t most,
	struct relay_file *file, struct relay_err *err)
{
	struct stat before, after;
	ssize_t len;

	*file = (struct relay_file){0};
	if (look(fd, path, most, &before, err) != 0)
		return -1;
	/* One byte more, which shows that the file has grown. */
	file->text = malloc((size_t)before.st_size + 2);
	if (!file->text)
		return relay_fail(err, "out of memory");
	file->size = (size_t)before.st_size;
	len = read_up_to(fd, path, file->text, file->size + 1);
	if (len < 0)
		return relay_fail(
			err, "cannot read %.160s: %s", path, strerror(errno));
	if ((size_t)len != file->size || fstat(fd, &after) != 0 ||
		!same_moment(&before, &after))
		return relay_fail(err,
			"%.120s is not whole: it changed while it was read",
			path);
	file->text[len] = '\0';
	skip_mark(file);
	return 0;
}

int relay_file_read(const char *path, size_t most, struct relay_file *file,
	struct relay_err *err)
{
	int fd = relay_file_open(path, most, err), result;

	*file = (struct relay_file){0};
	if (fd < 0)
		return -1;
	result = relay_file_load(fd, path, most, file, err);
	(void)close(fd);
	return result;
}

void relay_file_free(struct relay_file *file)
{
	if (file->text)
		explicit_bzero(file->text, file->size);
	free(file->text);
	*file = (struct relay_file){0};
}

/* The length in bytes of the UTF-8 character that begins there (RFC 3629,
 * section 4); 0: it is not valid UTF-8. */
static size_t character(const unsigned char *at, size_t left)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t more;

	if (at[0] < 0x80)
		return 1;
	if (at[0] < 0xc2 || at[0] > 0xf4)
		return 0;
	more = at[0] < 0xe0 ? 1 : at[0] < 0xf0 ? 2 : 3;
	if (left <= more)
		return 0;
	if (at[0] == 0xe0)
		low = 0xa0;
	else if (at[0] == 0xed)
		high = 0x9f;
	else if (at[0] == 0xf0)
		low = 0x90;
	else if (at[0] == 0xf4)
		high = 0x8f;
	if (at[1] < low || at[1] > high)
		return 0;
	for (size_t i = 2; i <= more; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	return more + 1;
}

unsigned relay_text_fault(const char *text, size_t size)
{
	const unsigned char *at = (const unsigned char *)text;
	unsigned line = 1;

	for (size_t i = 0, len; i < size; i += len) {
		line += at[i] == '\n';
		len = character(at + i, size - i);
		if (len == 0)
			return line;
	}
	return 0;
}
