/* SPDX-License-Identifier: MPL-2.0 */

/* The host: steps from one set of running modules to the next. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "changes.h"
#include "flags.h"
#include "hooks.h"
#include "host.h"
#include "http.h"
#include "log.h"
#include "loop.h"
#include "select.h"
#include "stage.h"
#include "worker.h"

static struct {
	struct catalog *catalog;   /* borrowed, as are the next two */
	const struct flags *flags;
	struct loop *control;
	struct config_module *schema; /* owned */
	size_t schema_count;
	struct module_list running; /* in the order of `modules` */
	const struct layout *layout;
	struct config *begun;   /* owned: what the process began with */
	struct config *current; /* owned unless it is the same */
	const struct config *next; /* while a step is under way */
} host;

void host_init(struct catalog *catalog, const struct flags *flags,
	struct loop *control)
{
	host.catalog = catalog;
	host.flags = flags;
	host.control = control;
}

const struct config *host_config(void)
{
	return host.next ? host.next : host.current;
}

bool host_has_flag(const char *flag)
{
	for (size_t i = 0; i < host.running.count; i++) {
		const struct relay_option *option =
			host.running.mods[i]->def.options;

		for (; option && option->name; option++)
			if (option->flag && strcmp(option->flag, flag) == 0)
				return true;
	}
	return false;
}

/* Configurations. */

const struct config_module *host_schema(size_t *count)
{
	const struct catalog *catalog = host.catalog;
	struct config_module *schema =
		calloc(catalog->count + catalog->broken_count + 1,
			sizeof(*schema));

	if (!schema)
		return NULL;
	free(host.schema);
	host.schema = schema;
	host.schema_count = 0;
	for (size_t i = 0; i < catalog->count; i++) {
		const struct relay_module_def *def = &catalog->mods[i]->def;

		schema[host.schema_count++] = (struct config_module){
			.name = def->name,
			.options = def->options,
			.conf_size = def->conf_size,
		};
	}
	/* They may be named, and their sections must not be in the way. */
	for (size_t i = 0; i < catalog->broken_count; i++)
		if (!catalog_find(catalog, catalog->broken[i].name))
			schema[host.schema_count++] = (struct config_module){
				.name = catalog->broken[i].name,
				.opaque = true,
			};
	*count = host.schema_count;
	return schema;
}

static void report(enum relay_level level, const char *text, void *arg)
{
	(void)arg;
	log_core(level, "%s", text);
}

struct config *host_load(void)
{
	size_t count;
	const struct config_module *schema = host_schema(&count);

	if (!schema) {
		log_core(RELAY_ERROR, "out of memory");
		return NULL;
	}
	return config_load(host.flags->conf, host.flags, schema, count, report,
		NULL);
}

/* Steps. */

/* Everything about the state that a step leads to. */
struct step {
	struct config *config;
	struct module_list wanted;  /* all that shall run, in order */
	struct module_list kept;    /* of these, those that run */
	struct module_list coming;  /* and those that do not yet */
	struct module_list leaving; /* that run and shall not */
	const struct layout *layout;
	struct hook_set *sets[WORKERS_MAX]; /* owned until adopted */
};

static void sort_out(struct step *step)
{
	step->kept.count = step->coming.count = step->leaving.count = 0;
	for (size_t i = 0; i < step->wanted.count; i++) {
		struct relay_module *mod = step->wanted.mods[i];

		module_list_add(module_list_has(&host.running, mod)
				? &step->kept
				: &step->coming,
			mod);
	}
	for (size_t i = 0; i < host.running.count; i++)
		if (!module_list_has(&step->wanted, host.running.mods[i]))
			module_list_add(&step->leaving, host.running.mods[i]);
}

static int refuse_essential(const struct step *step)
{
	int result = 0;

	for (size_t i = 0; i < step->leaving.count; i++) {
		const struct relay_module *mod = step->leaving.mods[i];

		if (!(mod->def.flags & RELAY_ESSENTIAL))
			continue;
		log_core(RELAY_ERROR,
			"module %s carries what clients hold on to; it cannot "
			"be removed while the server runs, only by a restart",
			mod->def.name);
		result = -1;
	}
	return result;
}

/* Whether the step can go on without a module that failed. */
static bool drop(struct step *step, struct relay_module *mod,
	const struct relay_err *err)
{
	bool kept = module_list_has(&step->kept, mod);

	if (mod->required || kept) {
		log_core(RELAY_ERROR, "module %s: %s", mod->def.name,
			err->text);
		return false;
	}
	log_core(RELAY_WARNING,
		"module %s: %s; it is not required, so the server goes on "
		"without it",
		mod->def.name, err->text);
	module_list_remove(&step->wanted, mod);
	module_list_remove(&step->coming, mod);
	return true;
}

static int check_all(struct step *step)
{
	struct module_list all = step->wanted;
	struct relay_err err;
	int result = 0;

	for (size_t i = 0; i < all.count; i++)
		if (stage_check(all.mods[i], step->config, &err) != 0 &&
			!drop(step, all.mods[i], &err))
			result = -1;
	return result;
}

/*
 * One that may be missing and fails takes those along that started after it,
 * since they may have found its services: all of them start again without it.
 */
static int enter_all(struct step *step)
{
	struct relay_module *culprit;
	struct relay_err err;

	while (stage_enter(&step->coming, step->config, host.control, &culprit,
		       &err) != 0) {
		if (!culprit) {
			log_core(RELAY_ERROR, "cannot start modules: %s",
				err.text);
			return -1;
		}
		if (!drop(step, culprit, &err))
			return -1;
	}
	return 0;
}

static void free_sets(struct step *step)
{
	for (unsigned i = 0; i < workers_count(); i++) {
		hook_set_free(step->sets[i]);
		step->sets[i] = NULL;
	}
}

static int make_sets(struct step *step)
{
	step->layout = host.layout;
	if (!step->layout || step->coming.count || step->leaving.count)
		step->layout =
			layout_make(step->wanted.mods, step->wanted.count);
	if (!step->layout)
		return -1;
	for (unsigned i = 0; i < workers_count(); i++) {
		step->sets[i] = hook_set_make(step->layout, step->wanted.mods,
			step->wanted.count, (int)i);
		if (!step->sets[i])
			return -1;
	}
	return 0;
}

/* Takes the step up to where nothing can fail any more. */
static int prepare(struct step *step)
{
	host.next = step->config;
	if (select_modules(host.catalog, step->config, &step->wanted) != 0)
		return -1;
	sort_out(step);
	if (refuse_essential(step) != 0 || check_all(step) != 0 ||
		enter_all(step) != 0)
		return -1;
	if (make_sets(step) == 0)
		return 0;
	log_core(RELAY_ERROR, "out of memory");
	free_sets(step);
	stage_abandon(&step->coming);
	return -1;
}

static int swap_here(struct worker *worker, void *arg)
{
	struct step *step = arg;
	int index = worker->loop.index;
	struct hook_set *old = worker_adopt(worker, step->sets[index],
		step->leaving.mods, step->leaving.count);

	hook_set_free(old);
	step->sets[index] = NULL;
	stage_leave_worker(&step->leaving, worker);
	for (size_t i = 0; i < step->kept.count; i++) {
		struct relay_module *mod = step->kept.mods[i];

		mod->workers[index].pub.conf =
			config_module_values(step->config, mod->def.name);
	}
	return 0;
}

static void swap(struct step *step)
{
	/* A worker that missed it would run code and data that are gone. */
	if (workers_call(swap_here, step) != 0) {
		log_core(RELAY_ERROR, "no memory to tell the workers");
		abort();
	}
	for (size_t i = 0; i < step->kept.count; i++) {
		struct relay_module *mod = step->kept.mods[i];

		mod->control.pub.conf =
			config_module_values(step->config, mod->def.name);
	}
	host.running = step->wanted;
	host.layout = step->layout;
	host.next = NULL;
}

static void take_config(struct config *config)
{
	if (host.current != host.begun)
		config_free(host.current);
	host.current = config;
	if (!host.begun)
		host.begun = config;
}

/* Publishes what came, tells those that stay, and lets go of what leaves. */
static void settle(struct step *step)
{
	struct config *old = host.current;

	host.current = step->config;
	stage_publish(&step->coming);
	stage_reload(&step->kept);
	stage_leave(&step->leaving);
	host.current = old;
	take_config(step->config);
}

int host_check(const struct config *config)
{
	struct step step = { .config = NULL };
	struct relay_err err;
	int result = 0;

	host.next = config;
	if (select_modules(host.catalog, config, &step.wanted) != 0)
		result = -1;
	for (size_t i = 0; i < step.wanted.count; i++) {
		struct relay_module *mod = step.wanted.mods[i];

		if (stage_check(mod, config, &err) != 0 &&
			!drop(&step, mod, &err))
			result = -1;
	}
	host.next = NULL;
	return result;
}

int host_start(struct config *config)
{
	struct step step = { .config = config };

	if (prepare(&step) != 0) {
		host.next = NULL;
		config_free(config);
		return -1;
	}
	swap(&step);
	settle(&step);
	return 0;
}

static void log_running(const char *what)
{
	char names[900];
	size_t len = 0;

	names[0] = '\0';
	for (size_t i = 0; i < host.running.count && len < sizeof(names); i++)
		len += (size_t)snprintf(names + len, sizeof(names) - len,
			"%s%s", i ? ", " : "",
			host.running.mods[i]->def.name);
	log_core(RELAY_NOTICE, "%s, with modules: %s", what,
		len ? names : "none");
}

void host_ready(void)
{
	http_open();
	stage_ready(&host.running);
	log_running("ready");
}

static const struct step *current_step;

static bool section_matters(const char *section)
{
	const struct relay_module *mod = catalog_find(host.catalog, section);

	return mod && (module_list_has(&host.running, mod) ||
			      module_list_has(&current_step->wanted, mod));
}

static void log_comings(const struct step *step)
{
	for (size_t i = 0; i < step->coming.count; i++)
		log_core(RELAY_NOTICE, "module %s %s starts",
			step->coming.mods[i]->def.name,
			step->coming.mods[i]->def.version);
	for (size_t i = 0; i < step->leaving.count; i++)
		log_core(RELAY_NOTICE, "module %s stops",
			step->leaving.mods[i]->def.name);
}

static void log_step(const struct step *step)
{
	size_t changes;

	current_step = step;
	changes = changes_log(host.begun, host.current, step->config,
		section_matters);
	current_step = NULL;
	log_comings(step);
	if (!changes && !step->coming.count && !step->leaving.count)
		log_core(RELAY_NOTICE, "nothing has changed");
}

static int reload(void)
{
	struct step step = { .config = NULL };
	struct relay_err err;

	if (catalog_scan(host.catalog, &err) != 0) {
		log_core(RELAY_ERROR, "%s", err.text);
		return -1;
	}
	catalog_report(host.catalog);
	step.config = host_load();
	if (!step.config)
		return -1;
	if (prepare(&step) != 0) {
		host.next = NULL;
		config_free(step.config);
		return -1;
	}
	log_step(&step);
	log_debug(config_core(step.config)->debug);
	swap(&step);
	settle(&step);
	http_open();
	stage_ready(&step.coming);
	return 0;
}

void host_reload(void)
{
	log_core(RELAY_NOTICE, "reloading%s%s",
		host.flags->conf ? " " : "; there is no -conf file",
		host.flags->conf ? host.flags->conf : "");
	if (reload() == 0)
		log_running("reloaded");
	else
		log_core(RELAY_ERROR,
			"not reloaded: everything stays as it was");
}

static int leave_here(struct worker *worker, void *arg)
{
	(void)arg;
	stage_leave_worker(&host.running, worker);
	return 0;
}

void host_stop(void)
{
	workers_call(leave_here, NULL);
	stage_leave(&host.running);
	host.running.count = 0;
}

void host_finish(void)
{
	take_config(NULL);
	config_free(host.begun);
	host.begun = NULL;
	free(host.schema);
	host.schema = NULL;
	layout_free_all();
	host.layout = NULL;
}

int relay_option_get(struct relay_ctx *cx, const char *section,
	const char *name, struct relay_value *out)
{
	const struct config *config = host_config();
	const struct relay_module *mod;

	(void)cx;
	if (section) {
		mod = catalog_find(host.catalog, section);
		if (!mod || mod->stage == MODULE_FOUND)
			return -1;
	}
	if (config_get(config, section, name, out) != 0)
		return -1;
	/* The server itself goes on with what it began with. */
	if (!section && host.begun &&
		(out->option->flags & RELAY_OPTION_RESTART))
		return config_get(host.begun, section, name, out);
	return 0;
}
