/* SPDX-License-Identifier: MPL-2.0 */

/*
 * guard_file.h - reads a file that controls access.
 *
 * The file is read completely at one time, and refused if it may be incomplete:
 * a truncated list would admit the wrong peers without any error.
 *
 * That somebody has it open for writing is known for certain only of a file
 * that is ours and on a local disk.  Of another one, such as root's after the
 * option `user` has taken effect, the only sign is that it changes.  So one
 * that was written within the last second is read when that second is over, and
 * `sure` is false: whoever reads a list must look at it again later.
 */
#ifndef GUARD_FILE_H
#define GUARD_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include <strelaysrv/err.h>
#include <strelaysrv/file.h>

struct guard_file {
	struct relay_file text;
	size_t at;      /* start of the next line, in bytes */
	unsigned line;  /* number of the last line returned */
	bool sure;      /* nobody was writing it */
	struct stat st; /* if not sure: what was read */
};

/*
 * Reads a regular file.  0, or -1 with err that names the path: it cannot be
 * read, is empty, too large, no UTF-8, contains a NUL byte, changes meanwhile,
 * or is being written.  Waits for a second at most, and never for a writer.
 * Call guard_file_free() in both cases.
 */
int guard_file_read(
	struct guard_file *file, const char *path, struct relay_err *err);
/* Whether both describe the same file with the same content. */
bool guard_file_same(const struct stat *a, const struct stat *b);
/* Whether it has not changed for a second. */
bool guard_file_settled(const struct stat *st);
/*
 * The next line, without its line end (LF or CR LF), valid until the file is
 * freed; NULL: none. *ended: it has a line end; without one, the last line may
 * be incomplete.
 */
char *guard_file_line(struct guard_file *file, bool *ended);
/* Wipes and frees the text, which may be a secret. */
void guard_file_free(struct guard_file *file);

#endif
