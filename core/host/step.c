/* SPDX-License-Identifier: MPL-2.0 */

/* Steps of the host: prepared while the old state serves, then taken as a
 * whole. */

#include <stdlib.h>

#include "modules/catalog.h"
#include "config/config.h"
#include "modules/hooks.h"
#include "log/log.h"
#include "modules/reload.h"
#include "modules/select.h"
#include "host/settings.h"
#include "host/step.h"
#include "peers/hooks_change.h"

static void sort_out(struct step *step)
{
	step->kept.count = step->coming.count = step->leaving.count = 0;
	for (size_t i = 0; i < step->wanted.count; i++) {
		struct relay_module *mod = step->wanted.mods[i];

		module_list_add(module_list_has(step->running, mod)
					? &step->kept
					: &step->coming,
			mod);
	}
	for (size_t i = 0; i < step->running->count; i++)
		if (!module_list_has(&step->wanted, step->running->mods[i]))
			module_list_add(&step->leaving, step->running->mods[i]);
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
	if (mod->required || mod->def.flags & RELAY_GUARD ||
		module_list_has(&step->kept, mod)) {
		log_core(
			RELAY_ERROR, "module %s: %s", mod->def.name, err->text);
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
	const struct module_list all = step->wanted;
	struct relay_err err;
	int result = 0;

	for (size_t i = 0; i < all.count; i++) {
		/* Wrong values were reported already; the module would check
		 * the defaults that stand for them. */
		if (config_module_flawed(step->config, all.mods[i]->def.name))
			continue;
		if (stage_check(all.mods[i], step->config, &err) != 0 &&
			!drop(step, all.mods[i], &err))
			result = -1;
	}
	return result;
}

int step_check(struct step *step)
{
	/* Goes on after an error, so that all errors are reported at once. */
	int result = select_modules(step->catalog, step->config, &step->wanted);

	sort_out(step);
	if (refuse_essential(step) != 0 || check_all(step) != 0)
		result = -1;
	return result;
}

/*
 * When a module that is not required fails, modules that started after it may
 * have found its services.  So all new modules are stopped, and start again
 * without it.
 */
static int enter_all(struct step *step)
{
	struct relay_module *culprit;
	struct relay_err err;

	while (stage_enter(&step->coming, step->config, step->control, &culprit,
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

static int prepare_kept(struct step *step)
{
	struct relay_module *culprit;
	struct relay_err err;

	if (reload_prepare(&step->kept, step->config, &culprit, &err) == 0)
		return 0;
	log_core(RELAY_ERROR, "module %s: %s", culprit->def.name, err.text);
	return -1;
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

static enum changes_scope scope_of(const char *section, void *arg)
{
	const struct step *step = arg;
	const struct relay_module *mod = catalog_find(step->catalog, section);

	if (mod && module_list_has(&step->kept, mod))
		return CHANGES_KEPT;
	return mod && (module_list_has(&step->coming, mod) ||
			      module_list_has(&step->leaving, mod))
		       ? CHANGES_FRESH
		       : CHANGES_IDLE;
}

static int stage_settings(struct step *step)
{
	if (!step->before)
		return 0;
	if (changes_find(step->before, step->config, scope_of, step,
		    &step->changes) != 0) {
		log_core(RELAY_ERROR, "out of memory");
		return -1;
	}
	return settings_stage(
		config_core(step->before), config_core(step->config));
}

int step_prepare(struct step *step)
{
	if (step_check(step) != 0 || stage_settings(step) != 0)
		return -1;
	/* New modules must not find services of modules that leave, and may
	 * take their names. */
	stage_mark(&step->leaving, MODULE_LEAVING);
	if (enter_all(step) != 0)
		goto error;
	if (prepare_kept(step) != 0)
		goto error_coming;
	if (make_sets(step) != 0)
		log_core(RELAY_ERROR, "out of memory");
	else if (!step->before || settings_open() == 0)
		return 0;
	free_sets(step);
	reload_abandon(&step->kept);
error_coming:
	stage_abandon(&step->coming);
error:
	stage_mark(&step->leaving, MODULE_LIVE);
	if (step->before)
		settings_abandon();
	return -1;
}

static int take_here(struct worker *worker, void *arg)
{
	struct step *step = arg;
	int index = worker->loop.index;
	struct hook_set *old = hooks_change(worker, step->sets[index],
		step->leaving.mods, step->leaving.count);

	hook_set_free(old);
	step->sets[index] = NULL;
	stage_leave_worker(&step->leaving, &worker->loop);
	for (size_t i = 0; i < step->kept.count; i++) {
		struct relay_module *mod = step->kept.mods[i];

		mod->workers[index].pub.conf =
			config_module_values(step->config, mod->def.name);
	}
	if (step->before)
		settings_take_here(worker);
	for (size_t i = 0; i < step->kept.count; i++)
		if (changes_touch(&step->changes, step->kept.mods[i]->def.name))
			hooks_change_tell(worker, step->kept.mods[i]);
	return 0;
}

void step_take(struct step *step)
{
	if (step->before)
		settings_take();
	(void)workers_call(take_here, step);
	for (size_t i = 0; i < step->kept.count; i++) {
		struct relay_module *mod = step->kept.mods[i];

		mod->control.pub.conf =
			config_module_values(step->config, mod->def.name);
	}
	reload_commit(&step->kept);
}

void step_settle(struct step *step)
{
	stage_publish(&step->coming);
	/* Before reload_tell(), since modules then ask for the server's
	 * addresses. */
	if (step->before)
		settings_settle();
	reload_tell(&step->kept);
	stage_leave(&step->leaving);
}

void step_forget(struct step *step)
{
	changes_free(&step->changes);
}
