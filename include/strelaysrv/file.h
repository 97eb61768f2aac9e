/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Files that an operator names, and that others may write or replace.
 *
 * A path may lead to a pipe, a device or another user's link.  These functions
 * never wait for the other end of a pipe, read no more than they are told, and
 * write to no file that somebody else has put in place.
 *
 * But they wait for the file's mount, which may not answer: network file
 * systems wait for ever.  So call them on the control thread only for files of
 * the system itself; otherwise in files_read (hooks.h) or as a work (thread.h).
 * In both, the server can name the file that does not answer.
 */
#ifndef RELAY_FILE_H
#define RELAY_FILE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include <strelaysrv/err.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Else struct stat is not the server's on 32 bits. */
static_assert(sizeof(((struct stat *)NULL)->st_size) == 8,
	"needs the compiler option -D_FILE_OFFSET_BITS=64");

struct relay_file {
	char *text;  /* owned, NUL-terminated */
	size_t size; /* in bytes, without the NUL */
};

/*
 * Opens a regular file of at most `most` bytes for reading.  The descriptor, or
 * -1 with err, which names the path.  [*]
 */
int relay_file_open(const char *path, size_t most, struct relay_err *err);
/*
 * Reads all of a file that relay_file_open() has opened, without the byte order
 * mark at its beginning.  0, or -1 with err: for one thing, it has changed
 * meanwhile.  Call relay_file_free() in both
 * cases.  [*]
 */
int relay_file_load(int fd, const char *path, size_t most,
	struct relay_file *file, struct relay_err *err);
/* Opens, reads and closes.  [*] */
int relay_file_read(const char *path, size_t most, struct relay_file *file,
	struct relay_err *err);
/*
 * The same, but never takes half a file that somebody is still writing.
 *
 * That a file is open for writing is known for certain only if it is ours and
 * on a local disk; then that is an error.  Of another one, such as root's after
 * the option `user` has taken effect, the only sign is that it changes.  So one
 * that was written within the last second is read when that second is over, and
 * *seen describes it: whoever reads a list must look at it again later.  For a
 * file that is certain to be whole, seen->st_ino is 0.  `seen` may be NULL.
 *
 * Waits for a second at most, and never for a writer.  [*]
 */
int relay_file_read_whole(const char *path, size_t most,
	struct relay_file *file, struct stat *seen, struct relay_err *err);
/*
 * Announces that this thread will read the file whole.  Whoever reads several
 * files first announces all: then all of them together wait for a second, and
 * not each one, also if the wall clock cannot tell how old they are.  [*]
 */
void relay_file_look(const char *path);
/* stat(2).  0, or -1 with errno.  [*] */
int relay_file_stat(const char *path, struct stat *st);
/* Whether both describe the same file with the same content. */
bool relay_file_same(const struct stat *a, const struct stat *b);
/* Wipes and frees the text, which may be a secret. */
void relay_file_free(struct relay_file *file);
/* The number of the first line that is not valid UTF-8; 0: all are. */
unsigned relay_text_fault(const char *text, size_t size);
/* The number of the first line that contains a byte order mark, which nobody
 * sees; 0: none.  Reading skips only the one at the beginning of a file. */
unsigned relay_text_mark(const char *text);

/*
 * Opens a file for appending; makes it if there is none, with the permission
 * bits `mode`.  Follows a symbolic link only if it belongs to root or to the
 * process's user; /dev/stdout and the like are such links.  Refuses a file that
 * has another name, too: whoever may write to the folder could append to any
 * file by a hard link, where the kernel allows these (fs.protected_hardlinks).
 * `any`: pipes and devices as well as regular files, and writing then returns
 * EAGAIN instead of waiting.  The descriptor, or -1 with err, which names the
 * path.  [*]
 */
int relay_file_append(
	const char *path, unsigned mode, bool any, struct relay_err *err);
/*
 * Appends a text to a regular file: opens, writes and closes it.  0, or -1 with
 * err, which names the path; a part of the text may have been written.  [*]
 */
int relay_file_append_text(const char *path, unsigned mode, const char *text,
	size_t size, struct relay_err *err);
/*
 * Whether relay_file_append() with `any` would do, as far as that can be known
 * without opening or making anything.  0, or -1 with err.  [*]
 */
int relay_file_append_try(const char *path, struct relay_err *err);
/*
 * Replaces a file at one time: writes a new one beside it, under a name that
 * nobody can guess, syncs it and renames it.  A link at that path is replaced,
 * not followed.  It is on the disk when this returns 0; -1 with err, and then
 * the file is as it was, unless only the folder could not be synced.  [*]
 */
int relay_file_replace(const char *path, const void *data, size_t size,
	unsigned mode, struct relay_err *err);
/* Whether relay_file_replace() would do: makes a file beside it and removes
 * that again.  0, or -1 with err.  [*] */
int relay_file_try(const char *path, struct relay_err *err);

#ifdef __cplusplus
}
#endif

#endif
