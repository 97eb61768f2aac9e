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
#include "modules/module_folders.h"
#include "modules/module_probe.h"
#include "modules/preload.h"

/* The kinds of work that may block, in the usual order. */
enum job_kind {
	JOB_FOLDERS, /* reads the module directories */
	JOB_TEXT,    /* reads the file, only to search it for names */
	JOB_PROBE,   /* opens modules in a child process */
	JOB_CONFIG,  /* reads the configuration */
};

/* One work, and its result.  While a task runs, only its thread uses it. */
struct job {
	enum job_kind kind;
	const struct flags *flags; /* borrowed */
	char *dirs;                /* owned; of JOB_FOLDERS */
	struct module_folders folders;
	bool failed; /* folders could not be read: err */
	struct relay_err err;
	char *text;                   /* owned; of JOB_TEXT; NULL: unreadable */
	struct module_probes *probes; /* owned; of JOB_PROBE */
	/* The rest is of JOB_CONFIG. */
	bool quiet;                   /* reports nothing */
	struct config_module *schema; /* owned */
	size_t count;
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
	bool was_read;     /* the configuration was read once */
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

	switch (job->kind) {
	case JOB_FOLDERS:
		job->failed = module_folders_read(
				      job->dirs, &job->folders, &job->err) != 0;
		break;
	case JOB_TEXT:
		job->text = preload_read(job->flags->conf);
		break;
	case JOB_PROBE:
		module_probe(job->probes);
		break;
	case JOB_CONFIG:
		job->config = config_load(job->flags->conf, job->flags,
			job->schema, job->count, report, job);
		break;
	}
}

static void job_free(void *arg)
{
	struct job *job = arg;

	config_free(job->config);
	module_folders_free(&job->folders);
	module_probes_free(job->probes);
	free(job->schema);
	free(job->text);
	free(job->dirs);
	free(job);
}

static int fill(struct job *job, const struct catalog *catalog)
{
	switch (job->kind) {
	case JOB_FOLDERS:
		job->dirs = strdup(catalog->dirs);
		return job->dirs ? 0 : -1;
	case JOB_TEXT:
		return 0;
	case JOB_PROBE:
		job->probes = catalog_probes(catalog);
		return job->probes ? 0 : -1;
	case JOB_CONFIG:
		job->schema = config_loader_schema(catalog, &job->count);
		return job->schema ? 0 : -1;
	}
	return -1;
}

/* NULL without memory. */
static struct job *job_make(enum job_kind kind, const struct catalog *catalog,
	const struct flags *flags)
{
	struct job *job = calloc(1, sizeof(*job));

	if (!job)
		return NULL;
	job->kind = kind;
	job->flags = flags;
	if (fill(job, catalog) == 0)
		return job;
	job_free(job);
	return NULL;
}

/* After a reading. */

/*
 * Wants the modules that `modules` names: the options of a module that is not
 * open cannot be checked.  If a name is not found, wants all modules, so that a
 * similar name can be suggested.  Returns how many are to be opened.
 */
static int want_enabled(struct catalog *catalog, const struct config *config)
{
	const char *const *names = config_core(config)->modules;
	int wanted = 0;

	for (; *names; names++) {
		int one = catalog_want(catalog, *names);

		wanted += one;
		if (!one && !catalog_find(catalog, *names) &&
			!catalog_broken(catalog, *names))
			return catalog_want_all(catalog);
	}
	return wanted;
}

/* Whether the configuration has to be read again; wants the modules that have
 * to be opened before. */
static bool read_again(
	struct catalog *catalog, const struct job *job, int *tries)
{
	if (job->quiet) {
		int wanted = job->config ? want_enabled(catalog, job->config)
					 : catalog_want_all(catalog);

		return !job->config || job->problems || wanted > 0;
	}
	/* The configuration file may have been replaced since the first, quiet
	 * reading, and the new file may enable further modules. */
	return job->config && (*tries)-- > 0 &&
	       want_enabled(catalog, job->config) > 0;
}

/* The first reading is quiet if there are modules that are not open. */
static struct job *first_job(
	const struct catalog *catalog, const struct flags *flags)
{
	struct job *job = job_make(JOB_CONFIG, catalog, flags);

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
		job = again && catalog_open_now(catalog) >= 0
			      ? job_make(JOB_CONFIG, catalog, flags)
			      : NULL;
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

static const struct task_kind on_thread = {
	.run = job_run, .done = job_done, .free = job_free};

/* Owns the job; NULL: no memory. */
static int start(struct config_loader *loader, struct job *job)
{
	struct relay_err err = {.text = "out of memory"};

	if (job) {
		job->loader = loader;
		loader->job = job;
		loader->task = task_start(&on_thread, job, loader->loop, &err);
	}
	if (loader->task)
		return 0;
	if (job)
		job_free(job);
	log_core(RELAY_ERROR, "%s", err.text);
	return -1;
}

/* What the loader does when a work has ended. */
enum next {
	NEXT_STARTED, /* a further work is under way */
	NEXT_TAKE,    /* the job's configuration is the result */
	NEXT_ERROR,   /* logged */
};

static enum next begin(struct config_loader *loader, enum job_kind kind)
{
	struct job *job =
		kind == JOB_CONFIG && !loader->was_read
			? first_job(loader->catalog, loader->flags)
			: job_make(kind, loader->catalog, loader->flags);

	loader->was_read |= kind == JOB_CONFIG;
	return start(loader, job) == 0 ? NEXT_STARTED : NEXT_ERROR;
}

static enum next take_folders(
	struct config_loader *loader, const struct job *job)
{
	if (catalog_take(loader->catalog, &job->folders) != 0) {
		log_core(RELAY_ERROR, "out of memory");
		return NEXT_ERROR;
	}
	if (job->failed) {
		log_core(RELAY_ERROR, "%s", job->err.text);
		return NEXT_ERROR;
	}
	if (loader->flags->conf)
		return begin(loader, JOB_TEXT);
	preload_want_default(loader->catalog);
	return begin(loader, JOB_PROBE);
}

static enum next take(struct config_loader *loader, struct job *job)
{
	struct catalog *catalog = loader->catalog;

	switch (job->kind) {
	case JOB_FOLDERS:
		return take_folders(loader, job);
	case JOB_TEXT:
		preload_want(catalog, job->text);
		return begin(loader, JOB_PROBE);
	case JOB_PROBE:
		if (catalog_open_wanted(catalog, job->probes) >= 0)
			return begin(loader, JOB_CONFIG);
		log_core(RELAY_ERROR, "out of memory");
		return NEXT_ERROR;
	case JOB_CONFIG:
		return read_again(catalog, job, &loader->tries)
			       ? begin(loader, JOB_PROBE)
			       : NEXT_TAKE;
	}
	return NEXT_ERROR;
}

/* The thread has returned. */
static void settle(struct config_loader *loader)
{
	struct job *job = loader->job;
	struct task *task = loader->task;
	struct config *config = NULL;
	enum next next;

	loader->task = NULL;
	next = take(loader, job);
	if (next == NEXT_TAKE) {
		config = job->config;
		job->config = NULL;
	}
	task_drop(task);
	if (next != NEXT_STARTED)
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
	bool is_file;

	if (!loader->task)
		return;
	/* Without memory, the message of a task that has ended is lost. */
	if (task_wait(loader->task, 0)) {
		settle(loader);
		return;
	}
	if (!task_hangs(loader->task, &err))
		return;
	is_file = loader->job->kind == JOB_TEXT ||
		  loader->job->kind == JOB_CONFIG;
	task_drop(loader->task);
	loader->task = NULL;
	if (is_file)
		log_core(RELAY_ERROR, "cannot read %s: %s", loader->flags->conf,
			err.text);
	else
		log_core(RELAY_ERROR, "cannot read the modules: %s", err.text);
	end(loader, NULL);
}

struct config_loader *config_loader_start(struct catalog *catalog,
	const struct flags *flags, struct loop *loop,
	void (*over)(struct config *config, void *arg), void *arg)
{
	struct config_loader *loader;

	catalog->careful = true;
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
	if (begin(loader, JOB_FOLDERS) == NEXT_STARTED)
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
