/* SPDX-License-Identifier: MPL-2.0 */

/*
 * guard_file.h - reads a file that controls access.
 *
 * The file is read completely at one time, and refused if it may be incomplete:
 * a truncated list would admit the wrong peers without any error.
 */
#ifndef GUARD_FILE_H
#define GUARD_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include <strelaysrv/err.h>

struct guard_file {
	char *text;      /* owned, NUL-terminated */
	size_t size, at; /* in bytes; `at` is the start of the next line */
	unsigned line;   /* number of the last line returned */
};

/*
 * Reads a regular file.  0, or -1 with err that names the path: it cannot be
 * read, is empty, too large, contains a NUL byte, changes meanwhile, or is open
 * for writing (detected only if we own the file and it is on a local disk).
 * Never waits for a writer.  Call guard_file_free() in both cases.
 */
int guard_file_read(
	struct guard_file *file, const char *path, struct relay_err *err);
/*
 * The next line, without its line end (LF or CR LF), valid until the file is
 * freed; NULL: none. *ended: it has a line end; without one, the last line may
 * be incomplete.
 */
char *guard_file_line(struct guard_file *file, bool *ended);
/* Wipes and frees the text, which may be a secret. */
void guard_file_free(struct guard_file *file);

#endif
