/* SPDX-License-Identifier: MPL-2.0 */

#include <stdlib.h>
#include <string.h>

#include "data.h"
#include "state.h"
#include "stored.h"

/* If a write takes this long, probably its mount does not answer. */
#define LONG_MS 10000
/* How long the control thread waits where it must know the result. */
#define WAIT_MS 2000

/* Without the file, an exhausted quota would start again at 0. */
static int may_be_missing(const struct conf *conf, struct relay_err *err)
{
	if (conf->state_required &&
		(conf->cap[METER_DAY] > 0 || conf->cap[METER_MONTH] > 0))
		return relay_fail(err,
			"%.100s does not exist, so it is unknown what was "
			"used; to begin at 0, as at the first start, write the "
			"word new into it, or set state-required = no",
			conf->state_file);
	return relay_file_try(conf->state_file, err);
}

int stored_files_read(const void *values, void **files, struct relay_err *err)
{
	const struct conf *conf = values;
	struct stored *stored = calloc(1, sizeof(*stored));
	int result;

	if (!stored)
		return relay_fail(err, "out of memory");
	result = state_read(conf->state_file, &stored->meter, &stored->names,
		&stored->self, err);
	stored->is_there = result == 0;
	stored->is_new = result == STATE_BEGIN;
	if (result == STATE_MISSING)
		result = may_be_missing(conf, err);
	*files = stored;
	if (result >= 0)
		return 0;
	free(stored);
	return -1;
}

void stored_files_free(void *files)
{
	struct stored *stored = files;

	if (stored)
		names_free(&stored->names);
	free(stored);
}

void stored_take(struct relay_ctx *cx)
{
	struct data *data = cx->data;
	const struct conf *conf = cx->conf;
	struct stored *stored = relay_files(cx, conf);

	data->meter = stored->meter;
	data->names = stored->names;
	data->self = stored->self;
	stored->names = (struct names){0};
	if (stored->is_new)
		relay_log(cx, RELAY_NOTICE, "%s is new: the usage begins at 0",
			conf->state_file);
	else if (!stored->is_there)
		relay_log(cx, RELAY_WARNING,
			"%s does not exist: the usage begins at 0; if the "
			"server "
			"has run before, its usage is not counted",
			conf->state_file);
}

/* A work on the file, which another thread does. */
struct job {
	char *path; /* owned */
	struct meter meter;
	struct names names; /* owned */
	struct self self;
	bool write, try; /* try: only tests whether the file can be written */
	bool was_there;
	int result;
	struct relay_err err;
};

static void job_run(void *arg)
{
	struct job *job = arg;

	if (job->try) {
		job->result = relay_file_try(job->path, &job->err);
		return;
	}
	job->was_there = state_exists(job->path);
	/* If the file was removed or its disk was unmounted, it is written
	 * again: the count of this process is still valid. */
	if (job->write || !job->was_there)
		job->result = state_write(job->path, &job->meter, &job->names,
			&job->self, &job->err);
}

static void job_done(struct relay_ctx *cx, void *arg)
{
	const struct job *job = arg;
	struct data *data = cx->data;

	data->failed = job->result != 0;
	data->why = job->err;
	if (data->asks)
		return;
	if (!job->was_there)
		relay_log_seldom(cx, RELAY_WARNING, &data->gone,
			"%s is missing; it is written again with the "
			"current usage",
			job->path);
	if (job->result != 0) {
		data->unsaved = true;
		relay_log_seldom(cx, RELAY_ERROR, &data->unwritable,
			"%s; usage since the last write is lost if the server "
			"ends",
			job->err.text);
	}
	if (data->save_again)
		stored_save(cx);
}

static void job_free(void *arg)
{
	struct job *job = arg;

	free(job->path);
	names_free(&job->names);
	free(job);
}

static const struct relay_work work = {
	.run = job_run, .done = job_done, .free = job_free};

static int begin(struct relay_ctx *cx, const char *path, bool write, bool try,
	struct relay_err *err)
{
	struct data *data = cx->data;
	struct job *job = calloc(1, sizeof(*job));

	relay_fail(err, "out of memory");
	if (!job)
		return -1;
	job->meter = data->meter;
	job->self = data->self;
	job->write = write;
	job->try = try;
	job->path = strdup(path);
	if (job->path && names_copy(&job->names, &data->names) == 0 &&
		relay_work_start(cx, &work, job, err) == 0) {
		data->began_ms = relay_now_ms(cx);
		return 0;
	}
	job_free(job);
	return -1;
}

static void look(struct relay_ctx *cx, bool write)
{
	struct data *data = cx->data;
	const struct conf *conf = cx->conf;
	struct relay_err err;

	if (data->moved) /* the new process owns the file now */
		return;
	if (begin(cx, conf->state_file, write, false, &err) == 0) {
		if (write)
			data->unsaved = data->save_again = false;
		return;
	}
	data->save_again |= write;
	if (relay_now_ms(cx) - data->began_ms >= LONG_MS)
		relay_log_seldom(cx, RELAY_ERROR, &data->unwritable,
			"%s; usage since the last write is lost if the server "
			"ends",
			err.text);
}

void stored_look(struct relay_ctx *cx)
{
	look(cx, false);
}

void stored_save(struct relay_ctx *cx)
{
	struct data *data = cx->data;

	data->saved_ms = relay_now_ms(cx);
	look(cx, true);
}

/* Waits for the end of the work that has begun; *ended: whether it has.  0, or
 * -1 with err if it has failed. */
static int ask(struct relay_ctx *cx, bool *ended, struct relay_err *err)
{
	struct data *data = cx->data;

	data->asks = true;
	*ended = relay_work_wait(cx, WAIT_MS);
	data->asks = false;
	if (!*ended || !data->failed)
		return 0;
	*err = data->why;
	return -1;
}

int stored_begin(struct relay_ctx *cx, struct relay_err *err)
{
	const struct conf *conf = cx->conf;
	bool ended;

	if (begin(cx, conf->state_file, true, false, err) != 0)
		return -1;
	/* The disk may be slow: then the write goes on, and its error is
	 * logged. */
	return ask(cx, &ended, err);
}

int stored_try(struct relay_ctx *cx, const char *path, struct relay_err *err)
{
	struct data *data = cx->data;
	bool ended;

	/* The old file may be on a mount that does not answer. */
	if (!relay_work_wait(cx, 0)) {
		relay_work_drop(cx);
		data->unsaved = true;
	}
	if (begin(cx, path, false, true, err) != 0 || ask(cx, &ended, err) != 0)
		return -1;
	if (ended)
		return 0;
	relay_work_drop(cx);
	return relay_fail(err, "%.200s does not answer", path);
}

void stored_finish(struct relay_ctx *cx)
{
	struct data *data = cx->data;
	const struct conf *conf = cx->conf;
	int64_t since_ms = relay_now_ms(cx) - data->began_ms;

	stored_save(cx);
	/* If an earlier work is still running, its end begins the work that
	 * saves: then the first wait fails and a second one is needed. */
	if (data->moved ||
		(since_ms < LONG_MS && relay_work_wait(cx, WAIT_MS)) ||
		relay_work_wait(cx, since_ms < LONG_MS ? WAIT_MS : 0))
		return;
	relay_log(cx, RELAY_ERROR,
		"%s does not answer; usage since the last write is lost "
		"if the server ends",
		conf->state_file);
}
