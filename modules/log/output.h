/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Writes lines to a descriptor, stderr or a file, that may be slow, full or
 * closed.
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <strelaysrv/err.h>

struct output {
	int fd;        /* -1: none */
	bool owned;    /* close it at the end */
	bool torn;     /* the last line is incomplete */
	bool failing;  /* the last line was lost */
	uint64_t lost; /* lines since writing last worked */
};

/* Checks whether output_open() would work, as far as possible.  0 or -1. */
int output_check(const char *path, struct relay_err *err);
/* Opens `path` for appending; creates it with mode 0640.  0 or -1. */
int output_open(struct output *out, const char *path, struct relay_err *err);
void output_stderr(struct output *out);
void output_close(struct output *out);

/*
 * Writes the line, of LINE_MAX_BYTES (line.h) at most, and a line end.  It
 * waits at most 0.1 s for a full pipe, and not at all if the pipe was full at
 * the last write.  0, or -1 with errno: the line is lost and counted.
 */
int output_write(struct output *out, const char *line, size_t len);

#endif
