/* SPDX-License-Identifier: MPL-2.0 */

/* The host: which modules run, and the transitions that change this. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <strelaysrv/listener.h>

#include "base/instance.h"
#include "config/config_diff.h"
#include "config/flags.h"
#include "config/options.h"
#include "host/host.h"
#include "host/host_state.h"
#include "host/config_loader.h"
#include "host/transition.h"
#include "http/http.h"
#include "log/log.h"
#include "loop/loop.h"
#include "modules/hooks.h"
#include "modules/module_metrics.h"
#include "modules/option_files_read.h"

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
	struct config_module *schema =
		config_loader_schema(host->catalog, count);

	if (schema) {
		free(host->schema);
		host->schema = schema;
	}
	return schema;
}

struct config *host_load(void)
{
	return config_loader_run(self()->catalog, self()->flags);
}

static void report(enum relay_level level, const char *text, void *arg)
{
	(void)arg;
	log_core(level, "%s", text);
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

/* In a check, none runs, but those that would can be asked about. */
static bool may_be_read(const struct host *host, const char *section)
{
	const struct relay_module *mod = catalog_find(host->catalog, section);

	if (!mod || mod->stage == MODULE_LEAVING)
		return false;
	return mod->stage != MODULE_FOUND ||
	       (host->checking &&
		       option_list_has(
			       config_core(host->next)->modules, section));
}

int relay_option_get(struct relay_ctx *cx, const char *section,
	const char *name, struct relay_value *out)
{
	struct host *host = self();
	const struct config *config = host->next ? host->next : host->current;

	(void)cx;
	if (section && !may_be_read(host, section))
		return -1;
	return config_get(config, section, name, out);
}

void relay_listeners_visit(
	struct relay_ctx *cx, relay_listeners_visit_fn *visit, void *arg)
{
	struct host *host = self();
	const struct core_conf *conf =
		config_core(host->next ? host->next : host->current);

	(void)cx;
	for (size_t i = 0; i < conf->listener_count; i++) {
		const struct core_listener *one = &conf->listeners[i];
		const struct relay_listener info = {.name = one->name,
			.address = one->address,
			.is_private = one->guarded,
			.for_proxies = one->proxied,
			.protocol = one->protocol,
			.max_connections = one->max_connections};

		visit(&info, arg);
	}
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
	/* Also the one of a transition that failed. */
	layout_free_unused(host->layout);
	return result;
}

struct readings *host_read(
	struct config *config, void (*over)(void *arg), void *arg)
{
	struct host *host = self();
	const char *const *names = config_core(config)->modules;
	struct module_list list = {.count = 0};
	struct readings *readings;

	for (; *names && list.count < MODULES_MAX; names++) {
		struct relay_module *mod = catalog_find(host->catalog, *names);

		if (mod && !module_list_has(&list, mod))
			module_list_add(&list, mod);
	}
	readings = readings_start(&list, config, host->control, over, arg);
	if (!readings)
		log_core(RELAY_ERROR, "out of memory");
	return readings;
}

/* Reads files while nothing else is to be done. */
static struct readings *read_now(struct config *config)
{
	struct readings *readings = host_read(config, NULL, NULL);

	if (readings)
		readings_wait(readings);
	return readings;
}

int host_check(struct config *config)
{
	struct host *host = self();
	struct transition transition = new_transition(config);
	struct readings *readings = read_now(config);
	int result = -1;

	if (readings) {
		host->next = config;
		host->checking = true;
		transition.readings = readings;
		result = transition_check(&transition);
		if (result == 0)
			transition_advise(&transition);
		host->checking = false;
		host->next = NULL;
	}
	readings_free(readings);
	return result;
}

int host_start(struct config *config)
{
	struct transition transition = new_transition(config);
	struct readings *readings = read_now(config);
	int result = -1;

	transition.readings = readings;
	if (readings)
		result = try_transition(&transition, config, NULL);
	if (result != 0)
		config_free(config);
	readings_free(readings);
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

int host_change(struct config *config, const struct readings *readings,
	const struct name_lookup *names)
{
	struct transition transition = new_transition(config);

	transition.names = names;
	transition.readings = readings;
	if (try_transition(&transition, config, log_transition) != 0)
		return -1;
	stage_ready(&transition.coming);
	log_running("reloaded");
	return 0;
}

int64_t host_drain(enum relay_drain how)
{
	return stage_drain(&self()->running, how);
}

const char *host_writes(void)
{
	const struct relay_module *mod = stage_writing(&self()->running);

	return mod ? mod->def.name : NULL;
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
