/* SPDX-License-Identifier: MPL-2.0 */

/* Loads the configuration in steps. */

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/file_wait.h"
#include "config/flags.h"
#include "host/config_loader.h"
#include "log/log.h"
#include "loop/blocking_task.h"
#include "modules/catalog.h"
#include "modules/preload.h"

/* What is read, and the result.  While a task runs, only its thread uses it. */
struct job {
	const struct flags *flags;    /* borrowed */
	bool only_text;               /* only searched for names of modules */
	bool quiet;                   /* reports nothing */
	struct config_module *schema; /* owned */
	size_t count;
	char *text;            /* owned; of only_text; NULL: unreadable */
	struct config *config; /* owned; NULL: there was an error */
	size_t problems;
	struct config_loader *loader; /* valid until the task is dropped */
};

struct config_loader {
	struct catalog *catalog;
	const struct flags *flags;
	struct loop *loop;
	void (*over)(struct config *config, void *arg);
	void *arg;
	int tries; /* how often it may read again if the file changes meanwhile
		    */
	struct task *task; /* owned; NULL: none */
	struct job *job;   /* valid as long as `task` */
};

struct config_module *config_loader_schema(
	const struct catalog *catalog, size_t *count)
{
	struct config_module *schema = calloc(
		catalog->count + catalog->broken_count + 1, sizeof(*schema));

	if (!schema)
		return NULL;
	*count = 0;
	for (size_t i = 0; i < catalog->count; i++) {
		const struct relay_module_def *def = &catalog->mods[i]->def;

		schema[(*count)++] = (struct config_module){
			.name = def->name,
			.options = def->options,
			.conf_size = def->conf_size,
		};
	}
	/* Broken modules may be named too, and their sections must be
	 * accepted. */
	for (size_t i = 0; i < catalog->broken_count; i++)
		if (!catalog_find(catalog, catalog->broken[i].name))
			schema[(*count)++] = (struct config_module){
				.name = catalog->broken[i].name,
				.opaque = true,
			};
	return schema;
}

/* One reading. */

static void report(enum relay_level level, const char *text, void *arg)
{
	struct job *job = arg;

	job->problems++;
	/* Messages of a reading that was given up would confuse. */
	if (!job->quiet && !file_wait_given_up())
		log_core(level, "%s", text);
}

static void job_run(void *arg)
{
	struct job *job = arg;

	if (job->only_text)
		job->text = preload_read(job->flags->conf);
	else
		job->config = config_load(job->flags->conf, job->flags,
			job->schema, job->count, report, job);
}

static void job_free(void *arg)
{
	struct job *job = arg;

	config_free(job->config);
	free(job->schema);
	free(job->text);
	free(job);
}

static struct job *job_make(
	const struct catalog *catalog, const struct flags *flags)
{
	struct job *job = calloc(1, sizeof(*job));

	if (!job)
		return NULL;
	job->flags = flags;
	job->schema = config_loader_schema(catalog, &job->count);
	if (job->schema)
		return job;
	free(job);
	return NULL;
}

/* After a reading. */

/*
 * Opens the modules that `modules` names: the options of a module that is not
 * open cannot be checked.  If a name is not found, opens all modules, so that a
 * similar name can be suggested.  Returns how many it opened, or -1 without
 * memory.
 */
static int open_enabled(struct catalog *catalog, const struct config *config)
{
	const char *const *names = config_core(config)->modules;
	int opened = 0;

	for (; *names; names++) {
		int one = catalog_open(catalog, *names);

		if (one < 0)
			return -1;
		opened += one;
		if (!catalog_find(catalog, *names) &&
			!catalog_broken(catalog, *names))
			return catalog_open_all(catalog);
	}
	return opened;
}

/* Whether the configuration has to be read again, with more modules. */
static bool read_again(
	struct catalog *catalog, const struct job *job, int *tries)
{
	if (job->quiet) {
		int opened = job->config ? open_enabled(catalog, job->config)
					 : catalog_open_all(catalog);

		return !job->config || job->problems || opened != 0;
	}
	/* Another file may have been put into its place since it was read
	 * quietly, and enable further modules. */
	return job->config && (*tries)-- > 0 &&
	       open_enabled(catalog, job->config) > 0;
}

/* The first reading is quiet if there are modules that are not open. */
static struct job *first_job(
	const struct catalog *catalog, const struct flags *flags)
{
	struct job *job = job_make(catalog, flags);

	if (job)
		job->quiet = catalog->unopened_count > 0;
	return job;
}

#define TRIES 3

struct config *config_loader_run(
	struct catalog *catalog, const struct flags *flags)
{
	struct job *job = first_job(catalog, flags);
	struct config *config = NULL;
	int tries = TRIES;
	bool again = true;

	while (job && again) {
		job_run(job);
		again = read_again(catalog, job, &tries);
		if (!again) {
			config = job->config;
			job->config = NULL;
		}
		job_free(job);
		job = again ? job_make(catalog, flags) : NULL;
	}
	if (again)
		log_core(RELAY_ERROR, "out of memory");
	return config;
}

/* On another thread. */

static void end(struct config_loader *loader, struct config *config)
{
	loader->over(config, loader->arg);
}

static void job_done(void *arg);

static const struct task_kind kind = {
	.run = job_run, .done = job_done, .free = job_free};

/* Owns the job; NULL: no memory. */
static int start(struct config_loader *loader, struct job *job)
{
	struct relay_err err = {.text = "out of memory"};

	if (job) {
		job->loader = loader;
		loader->job = job;
		loader->task = task_start(&kind, job, loader->loop, &err);
	}
	if (loader->task)
		return 0;
	if (job)
		job_free(job);
	log_core(RELAY_ERROR, "%s", err.text);
	return -1;
}

/* The thread has returned. */
static void settle(struct config_loader *loader)
{
	struct job *job = loader->job, *next = NULL;
	struct task *task = loader->task;
	struct config *config = NULL;
	bool again = true;

	loader->task = NULL;
	if (!job->only_text) {
		again = read_again(loader->catalog, job, &loader->tries);
		if (again)
			next = job_make(loader->catalog, loader->flags);
	} else if (preload_open_text(loader->catalog, job->text) == 0) {
		next = first_job(loader->catalog, loader->flags);
	}
	if (!again) {
		config = job->config;
		job->config = NULL;
	}
	task_drop(task);
	if (!again || start(loader, next) != 0)
		end(loader, config);
}

static void job_done(void *arg)
{
	struct job *job = arg;

	settle(job->loader);
}

void config_loader_poll(struct config_loader *loader)
{
	struct relay_err err;

	if (!loader->task)
		return;
	/* Without memory, the message of a task that has ended is lost. */
	if (task_wait(loader->task, 0)) {
		settle(loader);
		return;
	}
	if (!task_hangs(loader->task, &err))
		return;
	task_drop(loader->task);
	loader->task = NULL;
	log_core(RELAY_ERROR, "cannot read %s: %s", loader->flags->conf,
		err.text);
	end(loader, NULL);
}

static int scan(struct catalog *catalog)
{
	struct relay_err err;

	catalog->careful = true;
	if (catalog_scan(catalog, &err) == 0)
		return 0;
	log_core(RELAY_ERROR, "%s", err.text);
	return -1;
}

static struct job *begin(struct catalog *catalog, const struct flags *flags)
{
	struct job *job;

	if (!flags->conf)
		return preload_open(catalog, NULL) == 0
			       ? first_job(catalog, flags)
			       : NULL;
	job = job_make(catalog, flags);
	if (job)
		job->only_text = true;
	return job;
}

struct config_loader *config_loader_start(struct catalog *catalog,
	const struct flags *flags, struct loop *loop,
	void (*over)(struct config *config, void *arg), void *arg)
{
	struct config_loader *loader;

	if (scan(catalog) != 0)
		return NULL;
	loader = calloc(1, sizeof(*loader));
	if (!loader) {
		log_core(RELAY_ERROR, "out of memory");
		return NULL;
	}
	*loader = (struct config_loader){.catalog = catalog,
		.flags = flags,
		.loop = loop,
		.over = over,
		.arg = arg,
		.tries = TRIES};
	if (start(loader, begin(catalog, flags)) == 0)
		return loader;
	free(loader);
	return NULL;
}

void config_loader_free(struct config_loader *loader)
{
	if (!loader)
		return;
	if (loader->task)
		task_drop(loader->task);
	free(loader);
}
