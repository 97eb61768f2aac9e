/* SPDX-License-Identifier: MPL-2.0 */

/* Writes lines to a file beside the control thread. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <strelaysrv/thread.h>

#include "file_writer.h"

/* How long a line that must be written now is waited for. */
#define NOW_MS 100
/* After this time the file counts as hanging. */
#define HANGS_MS 10000

/* Lines that a thread writes. */
struct file_writer_job {
	const struct file_writer_calls *calls;
	struct output output; /* owned: the thread closes it at its end */
	char *lines;          /* owned */
	size_t len;
	bool json;
	uint64_t failed; /* lines that could not be written, and why */
	int error;
};

/* One line to the file; if lines before it were lost, a report first. */
static void write_line(struct output *out,
	const struct file_writer_calls *calls, bool json, const char *line,
	size_t len)
{
	char report[FILE_WRITER_REPORT];
	uint64_t lost = out->lost;

	if (lost) {
		size_t told = calls->report(lost, json, report, sizeof(report));

		if (output_write(out, report, told) == 0)
			out->lost = 0;
	}
	(void)output_write(out, line, len);
}

static void job_run(void *arg)
{
	struct file_writer_job *job = arg;
	const char *line = job->lines, *all = job->lines + job->len;

	while (line < all) {
		const char *end = memchr(line, '\n', (size_t)(all - line));
		size_t len = end ? (size_t)(end - line) : (size_t)(all - line);

		write_line(&job->output, job->calls, job->json, line, len);
		if (job->output.failing) {
			job->error = errno;
			job->failed++;
		}
		line += len + 1;
	}
}

bool file_writer_is_own(struct file_writer *writer)
{
	bool own = writer->telling;

	writer->telling = false;
	return own;
}

static void tell_loss(struct relay_ctx *cx, struct file_writer *writer,
	uint64_t lost, bool first, int error)
{
	relay_log_lost(cx, lost);
	if (!first)
		return;
	writer->telling = true;
	relay_log(cx, RELAY_ERROR,
		"cannot write to the file: %s; records are lost until it works "
		"again",
		strerror(error));
	writer->telling = false;
}

static void flush(struct relay_ctx *cx, const struct file_writer_calls *calls);

static void job_done(struct relay_ctx *cx, void *arg)
{
	struct file_writer_job *job = arg;
	const struct file_writer_calls *calls = job->calls;
	struct file_writer *writer = calls->writer(cx);
	struct output *out = calls->output(cx);
	bool first = out->lost == 0;

	writer->job = NULL;
	writer->told = false;
	out->torn = job->output.torn;
	out->failing = job->output.failing;
	out->lost = job->output.lost;
	job->output.owned = false; /* `out` has the descriptor */
	if (job->failed)
		tell_loss(cx, writer, job->failed, first, job->error);
	flush(cx, calls);
}

static void job_free(void *arg)
{
	struct file_writer_job *job = arg;

	output_close(&job->output);
	free(job->lines);
	free(job);
}

static const struct relay_work work = {
	.run = job_run, .done = job_done, .free = job_free};

/* Without a thread or memory, or when the module has stopped. */
static void write_here(
	struct relay_ctx *cx, const struct file_writer_calls *calls)
{
	struct file_writer *writer = calls->writer(cx);
	struct output *out = calls->output(cx);
	struct file_writer_job job = {.calls = calls,
		.output = *out,
		.lines = writer->lines,
		.len = writer->len,
		.json = calls->json(cx)};
	bool first = out->lost == 0;

	writer->lines = NULL;
	writer->len = writer->room = 0;
	writer->count = 0;
	job_run(&job);
	*out = job.output;
	free(job.lines);
	if (job.failed)
		tell_loss(cx, writer, job.failed, first, job.error);
}

static void tell_hang(
	struct relay_ctx *cx, const struct file_writer_calls *calls)
{
	struct file_writer *writer = calls->writer(cx);
	int64_t waited_ms = relay_now_ms(cx) - writer->began_ms;

	if (writer->told || waited_ms < HANGS_MS)
		return;
	writer->told = writer->telling = true;
	relay_log(cx, RELAY_ERROR,
		"%s has not answered for %d s; up to %u KiB of records wait "
		"for it",
		calls->path(cx), (int)(waited_ms / 1000),
		FILE_WRITER_QUEUE / 1024);
	writer->telling = false;
}

void file_writer_tell_end(
	struct relay_ctx *cx, const struct file_writer_calls *calls)
{
	struct file_writer *writer = calls->writer(cx);

	writer->telling = true;
	relay_log(cx, RELAY_ERROR,
		"%s does not answer; the last records are lost",
		calls->path(cx));
	writer->telling = false;
}

/* Has what is queued written, unless a job runs: its end does this again. */
static void flush(struct relay_ctx *cx, const struct file_writer_calls *calls)
{
	struct file_writer *writer = calls->writer(cx);
	struct output *out = calls->output(cx);
	struct file_writer_job *job;
	struct relay_err err;

	if (writer->job || writer->len == 0)
		return;
	out->lost += writer->lost;
	writer->lost = 0;
	job = writer->here ? NULL : calloc(1, sizeof(*job));
	if (!job) {
		write_here(cx, calls);
		return;
	}
	*job = (struct file_writer_job){.calls = calls,
		.output = *out,
		.lines = writer->lines,
		.len = writer->len,
		.json = calls->json(cx)};
	if (relay_work_start(cx, &work, job, &err) != 0) {
		free(job);
		write_here(cx, calls);
		return;
	}
	writer->job = job;
	writer->began_ms = relay_now_ms(cx);
	writer->lines = NULL;
	writer->len = writer->room = 0;
	writer->count = 0;
}

static int make_room(struct file_writer *writer, size_t more)
{
	size_t room = writer->room ? writer->room : 4096;
	char *lines;

	while (room < writer->len + more)
		room *= 2;
	if (room > FILE_WRITER_QUEUE)
		return -1;
	lines = realloc(writer->lines, room);
	if (!lines)
		return -1;
	writer->lines = lines;
	writer->room = room;
	return 0;
}

/* The queue is full, or there is no memory. */
static void lose_or_write(struct relay_ctx *cx,
	const struct file_writer_calls *calls, const char *line, size_t len)
{
	struct file_writer *writer = calls->writer(cx);
	struct output *out = calls->output(cx);
	bool first = out->lost == 0;

	if (writer->job && writer->len + len < FILE_WRITER_QUEUE)
		(void)relay_work_wait(cx, NOW_MS);
	if (writer->job) {
		writer->lost++;
		relay_log_lost(cx, 1);
		return;
	}
	write_here(cx, calls);
	write_line(out, calls, calls->json(cx), line, len);
	if (out->failing)
		tell_loss(cx, writer, 1, first, errno);
}

void file_writer_add(struct relay_ctx *cx,
	const struct file_writer_calls *calls, const char *line, size_t len,
	bool now)
{
	struct file_writer *writer = calls->writer(cx);

	if (writer->job)
		tell_hang(cx, calls);
	if (writer->len + len + 1 > writer->room &&
		make_room(writer, len + 1) != 0) {
		lose_or_write(cx, calls, line, len);
		return;
	}
	memcpy(writer->lines + writer->len, line, len);
	writer->lines[writer->len + len] = '\n';
	writer->len += len + 1;
	writer->count++;
	flush(cx, calls);
	/* One that hangs is not waited for again and again. */
	if (now && writer->job && relay_now_ms(cx) - writer->began_ms < NOW_MS)
		(void)relay_work_wait(cx, NOW_MS);
}

bool file_writer_settle(
	struct relay_ctx *cx, const struct file_writer_calls *calls, int64_t ms)
{
	struct file_writer *writer = calls->writer(cx);
	struct output *out = calls->output(cx);

	flush(cx, calls);
	/* The end of a job begins the next one, for which the second waits. */
	if (!writer->job || relay_work_wait(cx, ms) || relay_work_wait(cx, ms))
		return true;
	/* The thread closes the file when it answers. */
	writer->job->output.owned = true;
	writer->job = NULL;
	writer->told = false;
	relay_work_drop(cx);
	*out = (struct output){.fd = -1, .lost = out->lost};
	return false;
}

void file_writer_finish(
	struct relay_ctx *cx, const struct file_writer_calls *calls)
{
	struct file_writer *writer = calls->writer(cx);

	if (writer->count)
		relay_log_lost(cx, writer->count);
	free(writer->lines);
	*writer = (struct file_writer){.lines = NULL};
}
