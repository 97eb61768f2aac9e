/* SPDX-License-Identifier: MPL-2.0 */

/* The stages of modules: entered together, left in reverse order. */

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <strelaysrv/thread.h>

#include "modules/module_call.h"
#include "modules/option_files.h"
#include "modules/server_closed.h"
#include "config/config.h"
#include "modules/hooks.h"
#include "log/log.h"
#include "loop/loop.h"
#include "metrics/metrics.h"
#include "modules/module_log.h"
#include "modules/module_threads.h"
#include "modules/modules_state.h"
#include "modules/registrations.h"
#include "modules/stage.h"
#include "modules/timer.h"

#define CACHE_LINE 64

bool module_list_has(
	const struct module_list *list, const struct relay_module *mod)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->mods[i] == mod)
			return true;
	return false;
}

void module_list_add(struct module_list *list, struct relay_module *mod)
{
	list->mods[list->count++] = mod;
}

void module_list_remove(
	struct module_list *list, const struct relay_module *mod)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++)
		if (list->mods[i] != mod)
			list->mods[kept++] = list->mods[i];
	list->count = kept;
}

void stage_stepped(void)
{
	const struct module_threads *threads = module_threads();

	if (threads && threads->stepped && loop_current)
		threads->stepped(loop_current);
}

static void run(struct relay_module *mod, void (*fn)(struct relay_ctx *),
	const char *callback)
{
	module_call_run(mod, fn, callback);
	stage_stepped();
}

/* Calls a callback that can fail. */
static int ask(struct relay_module *mod,
	int (*fn)(struct relay_ctx *, struct relay_err *), const char *callback,
	struct relay_err *err)
{
	struct module_call call;
	int result;

	if (!fn)
		return 0;
	relay_fail(err, "%s failed and did not say why", callback);
	module_call_begin(&call, &mod->control.pub);
	result = fn(&mod->control.pub, err);
	module_call_end(&call, callback);
	stage_stepped();
	return result ? -1 : 0;
}

int stage_check(struct relay_module *mod, const struct config *config,
	struct relay_err *err)
{
	struct module_call call;
	int result;

	if (!mod->def.check)
		return 0;
	relay_fail(err, "check failed and did not say why");
	/* `check` is also called for modules that have no context yet. */
	mod->checking = (struct relay_ctx){.mod = mod, .worker = RELAY_CONTROL};
	module_call_begin(&call, &mod->checking);
	result = mod->def.check(
		config_module_values(config, mod->def.name), err);
	module_call_end(&call, "check");
	stage_stepped();
	return result ? -1 : 0;
}

void stage_advise(struct relay_module *mod, const struct config *config)
{
	struct module_call call;

	if (!mod->def.hooks.advise)
		return;
	/* It may start a thread, such as one that looks up a name, which may
	 * end only when -check does. */
	module_pin(mod);
	mod->checking = (struct relay_ctx){.mod = mod, .worker = RELAY_CONTROL};
	module_call_begin(&call, &mod->checking);
	mod->def.hooks.advise(
		&mod->checking, config_module_values(config, mod->def.name));
	module_call_end(&call, "advise");
}

/* Memory. */

static_assert(MODULES_MAX <= 64, "slots fit a word");

static int take_slot(struct relay_module *mod)
{
	uint64_t *slots = &instance->modules->slots;

	for (unsigned slot = 0; slot < MODULES_MAX; slot++) {
		uint64_t bit = UINT64_C(1) << slot;

		if (*slots & bit)
			continue;
		*slots |= bit;
		mod->slot = slot;
		return 0;
	}
	return -1;
}

/* Never shares a cache line with another worker's block. */
static void *local_block(size_t size)
{
	void *block = NULL;

	if (posix_memalign(&block, CACHE_LINE,
		    (size + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE) != 0)
		return NULL;
	memset(block, 0, size);
	return block;
}

static int make_workers(struct relay_module *mod, const void *conf)
{
	unsigned count = module_threads()->count();

	if (!mod->workers)
		mod->workers = calloc(count, sizeof(*mod->workers));
	if (!mod->workers)
		return -1;
	for (unsigned i = 0; i < count; i++) {
		struct module_ctx *ctx = &mod->workers[i];

		ctx->pub = (struct relay_ctx){.mod = mod,
			.worker = (int)i,
			.conf = conf,
			.data = mod->data};
		ctx->loop = module_threads()->loop(i);
		ctx->shard = metrics_shard((int)i);
		if (mod->def.worker_size == 0)
			continue;
		ctx->pub.local = local_block(mod->def.worker_size);
		if (!ctx->pub.local)
			return -1;
	}
	return 0;
}

static void free_blocks(struct relay_module *mod)
{
	for (unsigned i = 0; mod->workers && i < module_threads()->count();
		i++) {
		free(mod->workers[i].pub.local);
		mod->workers[i].pub.local = NULL;
		mod->workers[i].pub.conf = NULL;
		mod->workers[i].pub.data = NULL;
	}
	free(mod->data);
	mod->data = NULL;
	mod->control.pub.data = NULL;
	mod->control.pub.conf = NULL;
}

static int prepare(struct relay_module *mod, const struct config *config,
	struct loop *control, struct relay_err *err)
{
	const void *conf = config_module_values(config, mod->def.name);

	if (take_slot(mod) != 0)
		return relay_fail(
			err, "more than %d modules at a time", MODULES_MAX);
	mod->control.entered = true;
	relay_fail(err, "out of memory");
	module_pin(mod);
	if (mod->def.data_size > 0) {
		mod->data = calloc(1, mod->def.data_size);
		if (!mod->data)
			return -1;
	}
	mod->serial = ++instance->modules->last_serial;
	mod->control.pub = (struct relay_ctx){.mod = mod,
		.worker = RELAY_CONTROL,
		.conf = conf,
		.data = mod->data};
	mod->control.loop = control;
	mod->control.shard = metrics_shard(RELAY_CONTROL);
	return make_workers(mod, conf);
}

/* Workers. */

struct worker_round {
	const struct module_list *list;
	atomic_flag claimed; /* the worker that sets it writes the rest */
	struct relay_module *culprit;
	struct relay_err *err;
};

static int start_here(
	struct loop *loop, struct relay_module *mod, struct relay_err *err)
{
	struct module_ctx *ctx = &mod->workers[loop->index];
	const struct relay_ctx *before;
	int result = 0;

	ctx->no_transfers = false;
	if (mod->def.worker_start) {
		relay_fail(err, "worker_start failed and did not say why");
		before = hooks_enter(&ctx->pub);
		result = mod->def.worker_start(&ctx->pub, err);
		hooks_leave(before);
		stage_stepped();
	}
	ctx->entered = result == 0;
	return result;
}

static int enter_worker(struct loop *loop, void *arg)
{
	struct worker_round *round = arg;
	struct relay_err err;

	for (size_t i = 0; i < round->list->count; i++) {
		struct relay_module *mod = round->list->mods[i];

		if (start_here(loop, mod, &err) == 0)
			continue;
		if (!atomic_flag_test_and_set(&round->claimed)) {
			round->culprit = mod;
			*round->err = err;
		}
		/* Removes timers that it added before it failed. */
		timer_withdraw(&mod->workers[loop->index]);
		return -1;
	}
	return 0;
}

void stage_leave_worker(const struct module_list *list, struct loop *loop)
{
	for (size_t i = list->count; i-- > 0;) {
		struct relay_module *mod = list->mods[i];
		struct module_ctx *ctx;
		const struct relay_ctx *before;

		if (!mod->workers)
			continue;
		ctx = &mod->workers[loop->index];
		if (!ctx->entered)
			continue;
		if (mod->def.worker_stop) {
			before = hooks_enter(&ctx->pub);
			mod->def.worker_stop(&ctx->pub);
			hooks_leave(before);
			stage_stepped();
		}
		timer_withdraw(ctx);
		ctx->entered = false;
	}
}

static int leave_worker(struct loop *loop, void *arg)
{
	stage_leave_worker(arg, loop);
	return 0;
}

static int nothing_here(struct loop *loop, void *arg)
{
	(void)loop;
	(void)arg;
	return 0;
}

/* Entering. */

static int enter_control(const struct module_list *list,
	const struct config *config, struct loop *control,
	struct relay_module **culprit, struct relay_err *err)
{
	for (size_t i = 0; i < list->count; i++) {
		struct relay_module *mod = list->mods[i];

		*culprit = mod;
		if (prepare(mod, config, control, err) != 0)
			return -1;
		if (ask(mod, mod->def.init, "init", err) != 0)
			return -1;
		mod->stage = MODULE_INITED;
	}
	for (size_t i = 0; i < list->count; i++) {
		struct relay_module *mod = list->mods[i];

		*culprit = mod;
		if (ask(mod, mod->def.start, "start", err) != 0)
			return -1;
		mod->stage = MODULE_STARTED;
	}
	*culprit = NULL;
	return 0;
}

void stage_abandon(const struct module_list *list)
{
	struct module_list copy = *list;

	/* Skips modules that were not reached: they have no contexts. */
	while (copy.count > 0 && !copy.mods[copy.count - 1]->control.entered)
		copy.count--;
	module_threads()->call(leave_worker, &copy);
	stage_leave(&copy);
}

int stage_enter(const struct module_list *list, const struct config *config,
	struct loop *control, struct relay_module **culprit,
	struct relay_err *err)
{
	struct worker_round round = {
		.list = list, .err = err, .claimed = ATOMIC_FLAG_INIT};

	*culprit = NULL;
	/*
	 * Waits until messages to an earlier run of these modules have arrived
	 * and were dropped, before the new run begins.
	 */
	if (instance->modules->last_serial > 0)
		module_threads()->call(nothing_here, NULL);
	if (enter_control(list, config, control, culprit, err) != 0)
		goto error;
	relay_fail(err, "out of memory");
	if (module_threads()->call(enter_worker, &round) != 0) {
		*culprit = round.culprit;
		goto error;
	}
	return 0;

error:
	stage_abandon(list);
	return -1;
}

void stage_mark(const struct module_list *list, enum module_stage stage)
{
	for (size_t i = 0; i < list->count; i++)
		list->mods[i]->stage = stage;
}

void stage_publish(const struct module_list *list)
{
	stage_mark(list, MODULE_LIVE);
	for (size_t i = 0; i < list->count; i++)
		module_log_publish(list->mods[i]);
	server_closed_refresh();
}

/* Leaving. */

static void leave_control(struct relay_module *mod)
{
	enum module_stage reached = mod->stage;

	registrations_withdraw(mod);
	mod->stage = MODULE_FOUND;
	if (reached >= MODULE_INITED)
		run(mod, mod->def.fini, "fini");
	/* Again: fini must not register anything, but it could. */
	registrations_withdraw(mod);
	option_files_forget(mod);
	mod->control.entered = false;
	instance->modules->slots &= ~(UINT64_C(1) << mod->slot);
	free_blocks(mod);
}

void stage_leave(const struct module_list *list)
{
	for (size_t i = list->count; i-- > 0;)
		if (list->mods[i]->stage >= MODULE_STARTED)
			run(list->mods[i], list->mods[i]->def.stop, "stop");
	for (size_t i = list->count; i-- > 0;)
		leave_control(list->mods[i]);
}

void stage_ready(const struct module_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		run(list->mods[i], list->mods[i]->def.ready, "ready");
}

int64_t stage_drain(const struct module_list *list, enum relay_drain how)
{
	int64_t sum = 0;

	for (size_t i = 0; i < list->count; i++) {
		struct relay_module *mod = list->mods[i];
		struct module_call call;
		int64_t waits;

		if (!mod->def.hooks.drain)
			continue;
		module_call_begin(&call, &mod->control.pub);
		waits = mod->def.hooks.drain(&mod->control.pub, how);
		module_call_end(&call, "drain");
		sum += waits > 0 ? waits : 0;
	}
	return sum;
}

const struct relay_module *stage_writing(const struct module_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		struct relay_module *mod = list->mods[i];

		if (mod->def.hooks.drain &&
			!relay_work_wait(&mod->control.pub, 0))
			return mod;
	}
	return NULL;
}
