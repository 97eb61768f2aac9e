/* SPDX-License-Identifier: MPL-2.0 */

/* The host: which modules run, and the transitions that change this. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/instance.h"
#include "config/config_diff.h"
#include "config/flags.h"
#include "host/host.h"
#include "host/host_state.h"
#include "host/transition.h"
#include "http/http.h"
#include "log/log.h"
#include "loop/loop.h"
#include "modules/hooks.h"
#include "modules/module_metrics.h"
#include "modules/preload.h"

static struct host *self(void)
{
	return &instance->host->host;
}

void host_init(struct catalog *catalog, const struct flags *flags,
	struct loop *control)
{
	struct host *host = self();

	host->catalog = catalog;
	host->flags = flags;
	host->control = control;
}

bool host_has_flag(const char *flag)
{
	struct host *host = self();

	for (size_t i = 0; i < host->running.count; i++) {
		const struct relay_option *option =
			host->running.mods[i]->def.options;

		for (; option && option->name; option++)
			if (option->flag && strcmp(option->flag, flag) == 0)
				return true;
	}
	return false;
}

/* Loading a configuration. */

const struct config_module *host_schema(size_t *count)
{
	struct host *host = self();
	const struct catalog *catalog = host->catalog;
	struct config_module *schema = calloc(
		catalog->count + catalog->broken_count + 1, sizeof(*schema));

	if (!schema)
		return NULL;
	free(host->schema);
	host->schema = schema;
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

static void report(enum relay_level level, const char *text, void *arg)
{
	(void)arg;
	log_core(level, "%s", text);
}

static struct config *load(config_report_fn *tell, void *arg)
{
	struct host *host = self();
	size_t count;
	const struct config_module *schema = host_schema(&count);

	if (!schema) {
		tell(RELAY_ERROR, "out of memory", arg);
		return NULL;
	}
	return config_load(
		host->flags->conf, host->flags, schema, count, tell, arg);
}

static void count(enum relay_level level, const char *text, void *arg)
{
	size_t *problems = arg;

	(void)level;
	(void)text;
	++*problems;
}

/*
 * Opens the modules that `modules` names: the options of a module that is not
 * open cannot be checked.  If a name is not found, opens all modules, so that a
 * similar name can be suggested.  Returns how many it opened, or -1 without
 * memory.
 */
static int open_enabled(const struct config *config)
{
	struct host *host = self();
	const char *const *names = config_core(config)->modules;
	int opened = 0;

	for (; *names; names++) {
		int one = catalog_open(host->catalog, *names);

		if (one < 0)
			return -1;
		opened += one;
		if (!catalog_find(host->catalog, *names) &&
			!catalog_broken(host->catalog, *names))
			return catalog_open_all(host->catalog);
	}
	return opened;
}

/* Loads with the modules that are open, and reports nothing.  NULL if there was
 * a problem, or if more modules had to be opened. */
static struct config *load_quietly(void)
{
	size_t problems = 0;
	struct config *config = load(count, &problems);
	int opened = config ? open_enabled(config)
			    : catalog_open_all(self()->catalog);

	if (config && !problems && opened == 0)
		return config;
	config_free(config);
	return NULL;
}

struct config *host_load(void)
{
	struct config *config = NULL;

	if (self()->catalog->unopened_count > 0)
		config = load_quietly();
	if (config)
		return config;
	config = load(report, NULL);
	/* Another file has been put into its place since it was read quietly,
	 * and enables further modules. */
	for (int tries = 3; config && tries > 0 && open_enabled(config) > 0;
		tries--) {
		config_free(config);
		config = load(report, NULL);
	}
	return config;
}

struct config *host_examine(bool *good)
{
	struct host *host = self();
	size_t count;
	const struct config_module *schema = host_schema(&count);

	*good = false;
	if (!schema) {
		log_core(RELAY_ERROR, "out of memory");
		return NULL;
	}
	return config_examine(host->flags->conf, host->flags, schema, count,
		report, NULL, good);
}

static void take_config(struct config *config)
{
	struct host *host = self();

	config_free(host->current);
	host->current = config;
	http_allow_hosts(config ? config_core(config)->private_hosts : NULL);
	if (!config)
		return;
	module_metrics_want(host->catalog, config_core(config)->modules);
}

int relay_option_get(struct relay_ctx *cx, const char *section,
	const char *name, struct relay_value *out)
{
	struct host *host = self();
	const struct config *config = host->next ? host->next : host->current;
	const struct relay_module *mod;

	(void)cx;
	if (section) {
		mod = catalog_find(host->catalog, section);
		if (!mod || mod->stage == MODULE_FOUND ||
			mod->stage == MODULE_LEAVING)
			return -1;
	}
	return config_get(config, section, name, out);
}

/* Transitions from one state to the next. */

const struct core_conf *host_core(void)
{
	return config_core(self()->current);
}

static struct transition new_transition(struct config *config)
{
	struct host *host = self();

	return (struct transition){
		.catalog = host->catalog,
		.before = host->current,
		.config = config,
		.control = host->control,
		.running = &host->running,
		.layout = host->layout,
	};
}

/* Takes ownership of config if it succeeds. */
static int try_transition(struct transition *transition, struct config *config,
	void (*before)(const struct transition *))
{
	struct host *host = self();
	int result;

	host->next = config;
	result = transition_prepare(transition);
	if (result == 0) {
		if (before)
			before(transition);
		transition_take(transition);
		host->running = transition->wanted;
		host->layout = transition->layout;
		transition_settle(transition);
		take_config(config);
	}
	host->next = NULL;
	transition_forget(transition);
	return result;
}

int host_check(struct config *config)
{
	struct host *host = self();
	struct transition transition = new_transition(config);
	int result;

	host->next = config;
	result = transition_check(&transition);
	host->next = NULL;
	return result;
}

int host_start(struct config *config)
{
	struct transition transition = new_transition(config);
	int result = try_transition(&transition, config, NULL);

	if (result != 0)
		config_free(config);
	return result;
}

static void log_running(const char *what)
{
	struct host *host = self();
	char names[900];
	size_t len = 0;

	names[0] = '\0';
	for (size_t i = 0; i < host->running.count && len < sizeof(names); i++)
		len += (size_t)snprintf(names + len, sizeof(names) - len,
			"%s%s", i ? ", " : "", host->running.mods[i]->def.name);
	log_core(RELAY_NOTICE, "%s, with modules: %s", what,
		len ? names : "none");
}

void host_ready(void)
{
	http_open();
	stage_ready(&self()->running);
	log_running("ready");
}

/* Reload. */

static void log_transition(const struct transition *transition)
{
	config_diff_log(&transition->changes);
	for (size_t i = 0; i < transition->coming.count; i++)
		log_core(RELAY_NOTICE, "module %s %s starts",
			transition->coming.mods[i]->def.name,
			transition->coming.mods[i]->def.version);
	for (size_t i = 0; i < transition->leaving.count; i++)
		log_core(RELAY_NOTICE, "module %s stops",
			transition->leaving.mods[i]->def.name);
	if (!transition->changes.count && !transition->coming.count &&
		!transition->leaving.count)
		log_core(RELAY_NOTICE,
			"no option has changed; files that options name are "
			"read again");
	log_debug(config_core(transition->config)->debug);
}

static int reload(void)
{
	struct host *host = self();
	struct config *config;
	struct transition transition;
	struct relay_err err;

	host->catalog->careful = true;
	if (catalog_scan(host->catalog, &err) != 0) {
		log_core(RELAY_ERROR, "%s", err.text);
		return -1;
	}
	if (preload_open(host->catalog, host->flags->conf) != 0) {
		log_core(RELAY_ERROR, "out of memory");
		return -1;
	}
	config = host_load();
	if (!config)
		return -1;
	catalog_report(host->catalog);
	transition = new_transition(config);
	if (try_transition(&transition, config, log_transition) != 0) {
		config_free(config);
		return -1;
	}
	stage_ready(&transition.coming);
	return 0;
}

void host_reload(void)
{
	struct host *host = self();

	log_core(RELAY_NOTICE, "reloading%s%s",
		host->flags->conf ? " " : "; there is no -conf file",
		host->flags->conf ? host->flags->conf : "");
	if (transition_workers_answer() && reload() == 0) {
		log_running("reloaded");
		return;
	}
	log_core(RELAY_ERROR, "not reloaded: everything stays as it was");
}

int64_t host_drain(enum relay_drain how)
{
	return stage_drain(&self()->running, how);
}

/* Stopping. */

static int leave_here(struct worker *worker, void *arg)
{
	(void)arg;
	stage_leave_worker(&self()->running, &worker->loop);
	return 0;
}

void host_stop(void)
{
	struct host *host = self();

	workers_call(leave_here, NULL);
	stage_leave(&host->running);
	host->running.count = 0;
}

void host_finish(void)
{
	take_config(NULL);
	free(self()->schema);
	*self() = (struct host){.catalog = NULL};
}
