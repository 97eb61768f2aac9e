/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Takes a list of modules through the stages of starting and ending.
 *
 * All modules of a list complete one stage before any enters the next; they
 * leave in reverse order.  A stage that fails is undone for all of them.
 */
#ifndef STAGE_H
#define STAGE_H

#include <stdbool.h>
#include <stddef.h>

#include <strelaysrv/err.h>

#include "modules/module.h"

struct config;
struct loop;

struct module_list {
	struct relay_module *mods[MODULES_MAX];
	size_t count;
};

bool module_list_has(
	const struct module_list *list, const struct relay_module *mod);
/* The list must have room for one more. */
void module_list_add(struct module_list *list, struct relay_module *mod);
void module_list_remove(
	struct module_list *list, const struct relay_module *mod);

/* [C]  Calls `check` of one module.  0, or -1 with err. */
int stage_check(struct relay_module *mod, const struct config *config,
	struct relay_err *err);
/* [C]  Calls the hook `advise` of one module, whose check was good. */
void stage_advise(struct relay_module *mod, const struct config *config);

/*
 * [C]  Takes all from MODULE_FOUND to MODULE_STARTED, and calls worker_start on
 * the workers, whose threads must be running.  0, or -1: then all are
 * MODULE_FOUND again, *culprit is the module that failed (NULL: no memory), and
 * err says why.
 */
int stage_enter(const struct module_list *list, const struct config *config,
	struct loop *control, struct relay_module **culprit,
	struct relay_err *err);
/* [C]  Undoes a complete or partial stage_enter(); not after stage_publish().
 */
void stage_abandon(const struct module_list *list);
/* [C]  Sets the stage of all: MODULE_LEAVING, or MODULE_LIVE again. */
void stage_mark(const struct module_list *list, enum module_stage stage);
/* [C]  Makes them MODULE_LIVE and their registrations visible. */
void stage_publish(const struct module_list *list);

/* Calls worker_stop in reverse order, of modules whose worker_start succeeded
 * on this worker.  Own thread. */
void stage_leave_worker(const struct module_list *list, struct loop *loop);
/* [C]  Calls stop, withdraws registrations, calls fini.  The modules must have
 * left every worker. */
void stage_leave(const struct module_list *list);

/* [C]  Calls `ready` of all that have it. */
void stage_ready(const struct module_list *list);
/* [C]  Calls the hook `drain` of all that have it.  Returns the sum of their
 * answers. */
int64_t stage_drain(const struct module_list *list, enum relay_drain how);
/* [C]  The first of these modules that has this hook, and a work
 * (relay_work_start()) which has not ended; NULL: there is none. */
const struct relay_module *stage_writing(const struct module_list *list);

/* All callbacks of a stage together may take long, so the hang watch must see
 * each one return.  Own thread. */
void stage_stepped(void);

#endif
