/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The single steps of replacing a file, for callers that do something between
 * them; strelaysrv/file.h has one function for all steps.  Any thread.
 */
#ifndef FILE_H
#define FILE_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Makes a file beside `path` (relative to the directory `dir`, or AT_FDCWD)
 * under a name that nobody can guess, which is written to `name`.  It never
 * opens what is there, and follows no link.  The descriptor, or -1 with errno.
 */
int file_make_beside(
	int dir, const char *path, mode_t mode, char *name, size_t room);
/* Writes and syncs.  0, or -1 with errno. */
int file_write_all(int fd, const void *data, size_t size);
/* Some file systems cannot sync a directory and do not need it.  0, or -1 with
 * errno. */
int file_sync_dir(int dir);

#endif
