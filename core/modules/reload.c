/* SPDX-License-Identifier: MPL-2.0 */

/* The part of a reload that concerns modules that keep running. */

#include "config/config.h"
#include "metrics/metrics.h"
#include "modules/module_call.h"
#include "modules/reload.h"
#include "modules/timer.h"

/* Activates what the module registered in reload_prepare: timers and label
 * values. */
static void keep_registered(struct relay_module *mod)
{
	timer_keep_prepared(&mod->control);
	metrics_take_values(&mod->metrics);
}

static void drop_registered(struct relay_module *mod)
{
	timer_drop_prepared(&mod->control);
	metrics_drop_values(&mod->metrics);
}

static int prepare(struct relay_module *mod, const struct config *config,
	struct relay_err *err)
{
	struct module_call call;
	int result;

	if (!mod->def.hooks.reload_prepare)
		return 0;
	relay_fail(err, "reload_prepare failed and did not say why");
	module_call_begin(&call, &mod->control.pub);
	mod->preparing = true;
	result = mod->def.hooks.reload_prepare(&mod->control.pub,
		config_module_values(config, mod->def.name), err);
	mod->preparing = false;
	module_call_end(&call, "reload_prepare");
	if (result == 0)
		return 0;
	drop_registered(mod);
	return -1;
}

static void abandon_first(const struct module_list *list, size_t count)
{
	while (count-- > 0) {
		struct relay_module *mod = list->mods[count];

		module_call_run(
			mod, mod->def.hooks.reload_abandon, "reload_abandon");
		drop_registered(mod);
	}
}

int reload_prepare(const struct module_list *list, const struct config *config,
	struct relay_module **culprit, struct relay_err *err)
{
	for (size_t i = 0; i < list->count; i++) {
		if (prepare(list->mods[i], config, err) == 0)
			continue;
		*culprit = list->mods[i];
		abandon_first(list, i);
		return -1;
	}
	return 0;
}

void reload_abandon(const struct module_list *list)
{
	abandon_first(list, list->count);
}

void reload_commit(const struct module_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		struct relay_module *mod = list->mods[i];

		keep_registered(mod);
		module_call_run(
			mod, mod->def.hooks.reload_commit, "reload_commit");
	}
}

void reload_tell(const struct module_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		module_call_run(
			list->mods[i], list->mods[i]->def.reload, "reload");
}
