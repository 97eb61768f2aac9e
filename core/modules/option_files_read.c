/* SPDX-License-Identifier: MPL-2.0 */

/* Has modules read their files beside the control thread. */

#include <stdlib.h>

#include "config/config.h"
#include "loop/blocking_task.h"
#include "modules/module.h"
#include "modules/option_files.h"
#include "modules/option_files_read.h"

/* How often the waiting control thread looks whether a task hangs, in ms. */
#define LOOK_MS 100

/* What the thread uses.  It may outlive the reading. */
struct job {
	relay_files_read_fn *read;
	relay_files_free_fn *free;
	struct config *config; /* owned, since it holds `conf` */
	const void *conf;
	void *files;    /* owned */
	bool succeeded; /* `files` is valid */
	struct relay_err err;
	struct reading *reading; /* valid until the task is dropped */
};

struct reading {
	struct relay_module *mod;
	struct task *task; /* owned; NULL: it has ended */
	struct job *job;   /* valid as long as `task` */
	bool failed;
	struct relay_err err;
	struct readings *all;
};

struct readings {
	void (*over)(void *arg);
	void *arg;
	size_t count, left; /* left: tasks that are not over */
	struct reading list[];
};

/* The task. */

static void run(void *arg)
{
	struct job *job = arg;

	relay_fail(&job->err, "files_read failed and did not say why");
	job->succeeded = job->read(job->conf, &job->files, &job->err) == 0;
}

static void finish(void *arg)
{
	struct job *job = arg;

	if (job->succeeded)
		job->free(job->files);
	config_free(job->config);
	free(job);
}

/* Its thread has returned. */
static void settle(struct reading *reading)
{
	struct job *job = reading->job;

	if (job->succeeded) {
		reading->mod->files_next =
			(struct option_files){job->conf, job->files};
		job->succeeded = false;
	} else {
		reading->failed = true;
		reading->err = job->err;
	}
	task_drop(reading->task);
	reading->task = NULL;
	reading->all->left--;
}

static void tell(const struct readings *readings)
{
	if (readings->left == 0 && readings->over)
		readings->over(readings->arg);
}

static void done(void *arg)
{
	struct job *job = arg;
	struct readings *all = job->reading->all;

	settle(job->reading);
	tell(all);
}

static const struct task_kind kind = {.run = run, .done = done, .free = finish};

/* Starting. */

static struct job *make_job(struct reading *reading, struct config *config)
{
	const struct relay_module_def *def = &reading->mod->def;
	struct job *job = calloc(1, sizeof(*job));

	if (!job)
		return NULL;
	job->read = def->hooks.files_read;
	job->free = def->hooks.files_free;
	job->config = config_keep(config);
	job->conf = config_module_values(config, def->name);
	job->reading = reading;
	return job;
}

static void start_one(
	struct reading *reading, struct config *config, struct loop *loop)
{
	option_files_drop_next(reading->mod);
	/* The thread may return when the module has been closed. */
	module_pin(reading->mod);
	relay_fail(&reading->err, "out of memory");
	reading->job = make_job(reading, config);
	if (reading->job)
		reading->task =
			task_start(&kind, reading->job, loop, &reading->err);
	if (reading->task) {
		reading->all->left++;
		return;
	}
	if (reading->job)
		finish(reading->job);
	reading->failed = true;
}

static bool reads(const struct relay_module *mod, const struct config *config)
{
	const struct relay_hooks *hooks = &mod->def.hooks;

	return hooks->files_read && hooks->files_free &&
	       !config_module_flawed(config, mod->def.name);
}

struct readings *readings_start(const struct module_list *list,
	struct config *config, struct loop *loop, void (*over)(void *arg),
	void *arg)
{
	struct readings *readings = calloc(
		1, sizeof(*readings) + list->count * sizeof(readings->list[0]));

	if (!readings)
		return NULL;
	readings->over = over;
	readings->arg = arg;
	for (size_t i = 0; i < list->count; i++) {
		struct reading *reading = &readings->list[readings->count];

		if (!reads(list->mods[i], config))
			continue;
		readings->count++;
		reading->mod = list->mods[i];
		reading->all = readings;
		start_one(reading, config, loop);
	}
	return readings;
}

/* Waiting. */

bool readings_are_over(const struct readings *readings)
{
	return readings->left == 0;
}

static void look_at(struct reading *reading)
{
	/* Without memory, the message of a task that has ended is lost. */
	if (task_wait(reading->task, 0)) {
		settle(reading);
		return;
	}
	if (!task_hangs(reading->task, &reading->err))
		return;
	reading->failed = true;
	task_drop(reading->task);
	reading->task = NULL;
	reading->all->left--;
}

static size_t look(struct readings *readings)
{
	size_t before = readings->left;

	for (size_t i = 0; i < readings->count; i++)
		if (readings->list[i].task)
			look_at(&readings->list[i]);
	return before;
}

void readings_look(struct readings *readings)
{
	if (look(readings) > 0)
		tell(readings);
}

void readings_wait(struct readings *readings)
{
	for (size_t i = 0; i < readings->count; i++)
		while (readings->list[i].task) {
			(void)task_wait(readings->list[i].task, LOOK_MS);
			(void)look(readings);
			stage_stepped();
		}
}

const struct relay_err *readings_error(
	const struct readings *readings, const struct relay_module *mod)
{
	for (size_t i = 0; i < readings->count; i++)
		if (readings->list[i].mod == mod && readings->list[i].failed)
			return &readings->list[i].err;
	return NULL;
}

void readings_free(struct readings *readings)
{
	if (!readings)
		return;
	for (size_t i = 0; i < readings->count; i++) {
		if (readings->list[i].task)
			task_drop(readings->list[i].task);
		option_files_drop_next(readings->list[i].mod);
	}
	free(readings);
}
