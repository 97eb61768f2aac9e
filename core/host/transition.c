/* SPDX-License-Identifier: MPL-2.0 */

/* Transitions of the host: prepared while the old state serves, then taken as a
 * whole. */

#include <stdlib.h>

#include "modules/catalog.h"
#include "config/config_listeners.h"
#include "config/config.h"
#include "modules/hooks.h"
#include "log/log.h"
#include "modules/option_files.h"
#include "modules/option_files_read.h"
#include "modules/reload.h"
#include "modules/enabled_modules.h"
#include "host/core_options_change.h"
#include "host/listener_protocols.h"
#include "host/sandbox_fit.h"
#include "host/transition.h"
#include "peers/hooks_change.h"
#include "peers/session_move.h"
#include "workers/hang_watch.h"
#include "workers/workers.h"
#include "workers/workers_answer.h"

static void sort_out(struct transition *transition)
{
	transition->kept.count = transition->coming.count =
		transition->leaving.count = 0;
	for (size_t i = 0; i < transition->wanted.count; i++) {
		struct relay_module *mod = transition->wanted.mods[i];

		module_list_add(module_list_has(transition->running, mod)
					? &transition->kept
					: &transition->coming,
			mod);
	}
	for (size_t i = 0; i < transition->running->count; i++)
		if (!module_list_has(
			    &transition->wanted, transition->running->mods[i]))
			module_list_add(&transition->leaving,
				transition->running->mods[i]);
}

static int refuse_essential(const struct transition *transition)
{
	int result = 0;

	for (size_t i = 0; i < transition->leaving.count; i++) {
		const struct relay_module *mod = transition->leaving.mods[i];

		if (!(mod->def.flags & RELAY_ESSENTIAL))
			continue;
		log_core(RELAY_ERROR,
			"module %s serves clients that stay connected; it "
			"cannot be removed while the server runs, only by a "
			"restart",
			mod->def.name);
		result = -1;
	}
	return result;
}

/* Whether the transition can go on without a module that failed. */
static bool drop(struct transition *transition, struct relay_module *mod,
	const struct relay_err *err)
{
	if (mod->required || mod->def.flags & RELAY_GUARD ||
		module_list_has(&transition->kept, mod)) {
		log_core(
			RELAY_ERROR, "module %s: %s", mod->def.name, err->text);
		return false;
	}
	log_core(RELAY_WARNING,
		"module %s: %s; it is not required, so the server goes on "
		"without it",
		mod->def.name, err->text);
	module_list_remove(&transition->wanted, mod);
	module_list_remove(&transition->coming, mod);
	return true;
}

static int check_one(const struct transition *transition,
	struct relay_module *mod, struct relay_err *err)
{
	const struct relay_err *why = readings_error(transition->readings, mod);

	if (sandbox_fit_check(mod, transition->config, err) != 0)
		return -1;
	if (!why)
		return stage_check(mod, transition->config, err);
	*err = *why;
	return -1;
}

static int check_all(struct transition *transition)
{
	const struct module_list all = transition->wanted;
	struct relay_err err;
	int result = 0;

	for (size_t i = 0; i < all.count; i++) {
		/* Wrong values were reported already; the module would check
		 * the defaults that replace them. */
		if (config_module_flawed(
			    transition->config, all.mods[i]->def.name))
			continue;
		if (check_one(transition, all.mods[i], &err) != 0 &&
			!drop(transition, all.mods[i], &err))
			result = -1;
	}
	return result;
}

int transition_check(struct transition *transition)
{
	/* Goes on after an error, so that all errors are reported at once. */
	int result = enabled_modules_find(
		transition->catalog, transition->config, &transition->wanted);

	sort_out(transition);
	if (refuse_essential(transition) != 0 || check_all(transition) != 0)
		result = -1;
	if (listener_protocols_check(transition->config, &transition->wanted) !=
		0)
		result = -1;
	return result;
}

void transition_advise(const struct transition *transition)
{
	for (size_t i = 0; i < transition->wanted.count; i++)
		stage_advise(transition->wanted.mods[i], transition->config);
}

/*
 * When a module that is not required fails, modules that started after it may
 * have found its services.  So all new modules are stopped, and start again
 * without it.
 */
static int enter_all(struct transition *transition)
{
	struct relay_module *culprit;
	struct relay_err err;

	while (stage_enter(&transition->coming, transition->config,
		       transition->control, &culprit, &err) != 0) {
		if (!culprit) {
			log_core(RELAY_ERROR, "cannot start modules: %s",
				err.text);
			return -1;
		}
		if (!drop(transition, culprit, &err))
			return -1;
	}
	return 0;
}

static int prepare_kept(struct transition *transition)
{
	struct relay_module *culprit;
	struct relay_err err;

	if (reload_prepare(
		    &transition->kept, transition->config, &culprit, &err) == 0)
		return 0;
	log_core(RELAY_ERROR, "module %s: %s", culprit->def.name, err.text);
	return -1;
}

static void free_sets(struct transition *transition)
{
	for (unsigned i = 0; i < workers_count(); i++) {
		hook_set_free(transition->sets[i]);
		transition->sets[i] = NULL;
	}
}

static int make_sets(struct transition *transition)
{
	if (!transition->layout || transition->coming.count ||
		transition->leaving.count)
		transition->layout = layout_make(
			transition->wanted.mods, transition->wanted.count);
	if (!transition->layout)
		return -1;
	for (unsigned i = 0; i < workers_count(); i++) {
		transition->sets[i] = hook_set_make(transition->layout,
			transition->wanted.mods, transition->wanted.count,
			(int)i);
		if (!transition->sets[i])
			return -1;
	}
	return 0;
}

static enum config_diff_scope scope_of(const char *section, void *arg)
{
	const struct transition *transition = arg;
	const struct relay_module *mod =
		catalog_find(transition->catalog, section);

	if (config_is_listener(section) ||
		(mod && module_list_has(&transition->kept, mod)))
		return CONFIG_DIFF_KEPT;
	return mod && (module_list_has(&transition->coming, mod) ||
			      module_list_has(&transition->leaving, mod))
		       ? CONFIG_DIFF_FRESH
		       : CONFIG_DIFF_IDLE;
}

static int stage_settings(struct transition *transition)
{
	if (!transition->before)
		return 0;
	if (config_diff_find(transition->before, transition->config, scope_of,
		    transition, &transition->changes) != 0) {
		log_core(RELAY_ERROR, "out of memory");
		return -1;
	}
	return core_options_stage(config_core(transition->before),
		config_core(transition->config), transition->names);
}

void transition_tell_hanging(void)
{
	char text[200];

	hang_watch_describe_worker(text, sizeof(text));
	log_core(RELAY_ERROR, "%s: no reload while a worker hangs", text);
}

/* They have answered just before (reloading.c).  But what new modules have done
 * in their starts may have taken long, and the step that follows waits for the
 * workers, and cannot be given up. */
static bool workers_still_answer(void)
{
	bool answer = workers_answer();

	if (!answer)
		transition_tell_hanging();
	return answer;
}

int transition_prepare(struct transition *transition)
{
	if (transition_check(transition) != 0 ||
		stage_settings(transition) != 0)
		return -1;
	/* New modules must not find services of modules that leave, and may
	 * take their names. */
	stage_mark(&transition->leaving, MODULE_LEAVING);
	if (enter_all(transition) != 0)
		goto error;
	if (prepare_kept(transition) != 0)
		goto error_coming;
	if (make_sets(transition) != 0)
		log_core(RELAY_ERROR, "out of memory");
	else if (!transition->before ||
		 (workers_still_answer() && core_options_open() == 0))
		return 0;
	free_sets(transition);
	reload_abandon(&transition->kept);
error_coming:
	stage_abandon(&transition->coming);
error:
	stage_mark(&transition->leaving, MODULE_LIVE);
	if (transition->before)
		core_options_abandon();
	return -1;
}

static int take_here(struct worker *worker, void *arg)
{
	struct transition *transition = arg;
	int index = worker->loop.index;
	struct hook_set *old = hooks_change(worker, transition->sets[index],
		transition->leaving.mods, transition->leaving.count);

	hook_set_free(old);
	transition->sets[index] = NULL;
	stage_leave_worker(&transition->leaving, &worker->loop);
	for (size_t i = 0; i < transition->kept.count; i++) {
		struct relay_module *mod = transition->kept.mods[i];

		mod->workers[index].pub.conf =
			config_module_values(transition->config, mod->def.name);
	}
	if (transition->before)
		core_options_take_here(worker);
	for (size_t i = 0; i < transition->kept.count; i++)
		if (config_diff_touch(&transition->changes,
			    transition->kept.mods[i]->def.name))
			hooks_change_tell(worker, transition->kept.mods[i]);
	return 0;
}

void transition_take(struct transition *transition)
{
	if (transition->before)
		core_options_take();
	session_moves_hold();
	(void)workers_call(take_here, transition);
	session_moves_release();
	for (size_t i = 0; i < transition->kept.count; i++) {
		struct relay_module *mod = transition->kept.mods[i];

		mod->control.pub.conf =
			config_module_values(transition->config, mod->def.name);
	}
	reload_commit(&transition->kept);
}

void transition_settle(struct transition *transition)
{
	stage_publish(&transition->coming);
	/* Before reload_tell(), since modules then ask for the server's
	 * addresses. */
	if (transition->before)
		core_options_settle();
	reload_tell(&transition->kept);
	for (size_t i = 0; i < transition->wanted.count; i++)
		option_files_take(transition->wanted.mods[i]);
	stage_leave(&transition->leaving);
}

void transition_forget(struct transition *transition)
{
	config_diff_free(&transition->changes);
}
