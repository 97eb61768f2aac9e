/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Lines to a descriptor, stderr or a file, that may be slow, full or gone.
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <strelaysrv/err.h>

struct output {
	int fd;        /* -1: none */
	bool owned;    /* to be closed */
	bool torn;     /* the last line was not written to its end */
	bool failing;  /* the last line was lost */
	uint64_t lost; /* lines, since it last worked */
};

/* Whether output_open() would do, as far as one can tell.  0 or -1. */
int output_check(const char *path, struct relay_err *err);
/* Appends to `path`, made with mode 0640 if missing.  0 or -1. */
int output_open(struct output *out, const char *path, struct relay_err *err);
void output_stderr(struct output *out);
void output_close(struct output *out);

/*
 * Writes the line and a line end.  It waits at most 0.1 s for a pipe that is
 * full, and not at all if it was full the last time.  0, or -1 with errno: the
 * line is lost and counted.
 */
int output_write(struct output *out, const char *line, size_t len);

#endif
