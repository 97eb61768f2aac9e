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
#include <sys/stat.h>

#include <strelaysrv/err.h>
#include <strelaysrv/file.h>

/* What an error says of a last line without a line end. */
#define GUARD_FILE_NO_END                                                      \
	"the last line has no end, so the file may be half-written; end each " \
	"line, write to a new file and rename it"

struct guard_file {
	struct relay_file text;
	size_t at;        /* start of the next line, in bytes */
	unsigned line;    /* number of the last line returned */
	size_t announced; /* by a line "# entries: N" */
	unsigned counts;  /* how many such lines there were */
	struct stat seen; /* see relay_file_read_whole() */
};

/*
 * Reads a regular file.  0, or -1 with err that names the path: it cannot be
 * read, is empty, too large, no UTF-8, contains a NUL byte, changes meanwhile,
 * or is being written.  Waits for a second at most, and never for a writer.
 * Call guard_file_free() in both cases.
 */
int guard_file_read(
	struct guard_file *file, const char *path, struct relay_err *err);
/*
 * The next line, without its line end (LF or CR LF), valid until the file is
 * freed; NULL: none. *ended: it has a line end; without one, the last line may
 * be incomplete.
 */
char *guard_file_line(struct guard_file *file, bool *ended);
/*
 * Takes note of a comment of the form "# entries: N": a file that is cut off
 * between two lines looks complete without it.  0, or -1 with err: it has no
 * number, or there are two such lines.
 */
int guard_file_announce(
	struct guard_file *file, const char *line, struct relay_err *err);
/* Whether the file has as many entries as it announces, and at least one unless
 * it announces 0.  0, or -1 with err that names the path. */
int guard_file_check(const struct guard_file *file, const char *path,
	size_t entries, struct relay_err *err);
/* Wipes and frees the text, which may be a secret. */
void guard_file_free(struct guard_file *file);

#endif
