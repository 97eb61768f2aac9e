/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Writes lines to a file beside the control thread, since its mount may stop
 * answering.  Meanwhile lines wait in a queue of bounded size; what does not
 * fit is lost, and counted.  All functions are [C].
 */
#ifndef FILE_WRITER_H
#define FILE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <strelaysrv/module.h>

#include "output.h"

/* Bytes that wait for a file at most. */
#define FILE_WRITER_QUEUE (1024U * 1024U)
/* A line that says how many records were lost, made by the owner. */
#define FILE_WRITER_REPORT 512

struct file_writer_job;

struct file_writer {
	char *lines; /* owned; each ends with '\n' */
	size_t len, room;
	uint64_t count; /* of these lines */
	uint64_t lost;  /* lines that found no room since the last job */
	struct file_writer_job *job; /* owned by the work; NULL: none runs */
	int64_t began_ms;            /* of that job */
	bool telling;                /* the next record is about the file */
	bool here;                   /* write on the calling thread */
	bool told;                   /* that it hangs */
};

/* What the owner provides. */
struct file_writer_calls {
	/* Writes the report of `lost` lines to out; any thread. */
	size_t (*report)(uint64_t lost, bool json, char *out, size_t cap);
	/* The module's writer, its file and its form. */
	struct file_writer *(*writer)(struct relay_ctx *cx);
	struct output *(*output)(struct relay_ctx *cx);
	const char *(*path)(struct relay_ctx *cx);
	bool (*json)(struct relay_ctx *cx);
};

/* Whether a record is one about the file itself, which the owner's sink must
 * log once more: within a sink, that goes to stderr. */
bool file_writer_is_own(struct file_writer *writer);
/* Logs that the file did not answer, to other places than the file. */
void file_writer_tell_end(
	struct relay_ctx *cx, const struct file_writer_calls *calls);
/* Queues a line, and has it written.  `now`: waits for that, but not long. */
void file_writer_add(struct relay_ctx *cx,
	const struct file_writer_calls *calls, const char *line, size_t len,
	bool now);
/* Waits until all is written, for that many ms at most.  If the file does not
 * answer, lets go of it: the output then has no descriptor.  Whether all was
 * written. */
bool file_writer_settle(struct relay_ctx *cx,
	const struct file_writer_calls *calls, int64_t ms);
/* Frees the queue; what is in it is lost, and counted. */
void file_writer_finish(
	struct relay_ctx *cx, const struct file_writer_calls *calls);

#endif
