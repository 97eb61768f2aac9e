/* SPDX-License-Identifier: MPL-2.0 */

/* Looks up host names on the thread of a task. */

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/file_wait.h"
#include "loop/blocking_task.h"
#include "net/name_lookup.h"

/* One address, and what was found. */
struct found {
	const char *option;
	char *text; /* owned */
	int64_t protocol;
	bool failed;
	struct listen_place place; /* valid unless failed */
	struct relay_err err;      /* valid if failed */
};

/* What the task's thread uses. */
struct job {
	size_t count;
	atomic_size_t at;           /* the address that is being looked up */
	struct name_lookup *lookup; /* valid until the task is dropped */
	struct found list[];
};

struct name_lookup {
	void (*over)(void *arg);
	void *arg;
	struct task *task;    /* owned; NULL: there is no name, or given up */
	struct job *job;      /* valid as long as `task` */
	bool ended;           /* the lookup is over, and was not given up */
	struct relay_err why; /* the error, if it was given up */
};

static int resolve(const char *text, int64_t protocol, struct listen_place *out,
	struct relay_err *err)
{
	char what[200];
	int result;

	(void)snprintf(what, sizeof(what),
		"the name server, asked for the host of %.120s,", text);
	file_wait_begin(what);
	result = listen_place_resolve(text, protocol, out, err);
	file_wait_end();
	return result;
}

/* The task. */

static void job_run(void *arg)
{
	struct job *job = arg;

	for (size_t i = 0; i < job->count; i++) {
		struct found *one = &job->list[i];

		atomic_store(&job->at, i);
		one->failed = resolve(one->text, one->protocol, &one->place,
				      &one->err) != 0;
	}
}

static void end(struct name_lookup *lookup)
{
	if (lookup->over)
		lookup->over(lookup->arg);
}

static void job_done(void *arg)
{
	struct name_lookup *lookup = ((struct job *)arg)->lookup;

	if (lookup->ended)
		return;
	lookup->ended = true;
	end(lookup);
}

static void job_free(void *arg)
{
	struct job *job = arg;

	for (size_t i = 0; i < job->count; i++)
		free(job->list[i].text);
	free(job);
}

static const struct task_kind kind = {
	.run = job_run, .done = job_done, .free = job_free};

/* Starting. */

static struct job *job_make(const struct name_query *queries, size_t count)
{
	struct job *job =
		calloc(1, sizeof(*job) + count * sizeof(job->list[0]));

	for (size_t i = 0; job && i < count; i++) {
		struct found *one = &job->list[job->count];

		if (!address_has_name(queries[i].text))
			continue;
		one->option = queries[i].option;
		one->protocol = queries[i].protocol;
		one->text = strdup(queries[i].text);
		job->count++;
		if (!one->text) {
			job_free(job);
			return NULL;
		}
	}
	return job;
}

struct name_lookup *name_lookup_start(const struct name_query *queries,
	size_t count, struct loop *loop, void (*over)(void *arg), void *arg,
	struct relay_err *err)
{
	struct name_lookup *lookup = calloc(1, sizeof(*lookup));

	relay_fail(err, "out of memory");
	if (!lookup)
		return NULL;
	*lookup = (struct name_lookup){.over = over, .arg = arg};
	lookup->job = job_make(queries, count);
	if (!lookup->job)
		goto error;
	lookup->job->lookup = lookup;
	if (lookup->job->count == 0) {
		job_free(lookup->job);
		lookup->ended = true;
		return lookup;
	}
	lookup->task = task_start(&kind, lookup->job, loop, err);
	if (lookup->task)
		return lookup;
	job_free(lookup->job);
error:
	free(lookup);
	return NULL;
}

/* Waiting. */

bool name_lookup_is_over(const struct name_lookup *lookup)
{
	return lookup->ended || !lookup->task;
}

void name_lookup_again(struct name_lookup *lookup)
{
	struct relay_err err;
	size_t at;

	if (name_lookup_is_over(lookup))
		return;
	/* Without memory, the message of a task that has ended is lost. */
	if (task_wait(lookup->task, 0)) {
		lookup->ended = true;
	} else if (task_hangs(lookup->task, &err)) {
		at = atomic_load(&lookup->job->at);
		relay_fail(&lookup->why, "option %s: %.200s",
			lookup->job->list[at].option, err.text);
		task_drop(lookup->task);
		lookup->task = NULL;
	} else {
		return;
	}
	end(lookup);
}

void name_lookup_free(struct name_lookup *lookup)
{
	if (!lookup)
		return;
	if (lookup->task)
		task_drop(lookup->task);
	free(lookup);
}

/* Results. */

static const struct found *find(
	const struct name_lookup *lookup, const char *text, int64_t protocol)
{
	const struct job *job = lookup->task ? lookup->job : NULL;

	for (size_t i = 0; job && i < job->count; i++)
		if (job->list[i].protocol == protocol &&
			strcmp(job->list[i].text, text) == 0)
			return &job->list[i];
	return NULL;
}

int name_lookup_place(const struct name_lookup *lookup, const char *text,
	int64_t protocol, struct listen_place *out, struct relay_err *err)
{
	const struct found *one;

	if (!lookup)
		return resolve(text, protocol, out, err);
	if (!address_has_name(text))
		return listen_place_resolve(text, protocol, out, err);
	one = find(lookup, text, protocol);
	if (!one)
		return relay_fail(err, "%s",
			lookup->ended ? "its name was not looked up"
				      : lookup->why.text);
	if (one->failed)
		return relay_fail(
			err, "option %s: %.200s", one->option, one->err.text);
	*out = one->place;
	return 0;
}
