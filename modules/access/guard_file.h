/* SPDX-License-Identifier: MPL-2.0 */

/*
 * guard_file.h - a file of which it depends who is let in.
 *
 * It is read whole, at one moment, and refused when it may be half-written: a
 * list that was cut off would let the wrong ones in without a word.
 */
#ifndef GUARD_FILE_H
#define GUARD_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include <strelaysrv/err.h>

struct guard_file {
	char *text;      /* owned, with a 0 behind it */
	size_t size, at; /* bytes; `at` is where the next line begins */
	unsigned line;   /* number of the last one that was handed out */
};

/*
 * Reads a regular file.  0, or -1 with err that names the path: it cannot be
 * read, is empty, too large, holds a byte 0, changes meanwhile, or is open for
 * writing (where the kernel tells: the file is ours, on a local disk).  Never
 * waits for a writer.  Either way guard_file_free().
 */
int guard_file_read(
	struct guard_file *file, const char *path, struct relay_err *err);
/*
 * The next line, without its end (LF or CR LF), valid until the file is freed;
 * NULL: there is none.  *ended: it has an end; the last one may lack it, and is
 * then half a line for all we know.
 */
char *guard_file_line(struct guard_file *file, bool *ended);
/* Wipes what was read; it may have been a secret. */
void guard_file_free(struct guard_file *file);

#endif
