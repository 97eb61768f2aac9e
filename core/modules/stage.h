/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The stages of a module's life, for a list of modules at once.
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
/* The list must have room. */
void module_list_add(struct module_list *list, struct relay_module *mod);
void module_list_remove(
	struct module_list *list, const struct relay_module *mod);

/* [C]  Asks `check` of one module.  0, or -1 with err. */
int stage_check(struct relay_module *mod, const struct config *config,
	struct relay_err *err);

/*
 * [C]  Takes all from MODULE_FOUND to MODULE_STARTED and through worker_start,
 * with the workers' threads running.  On failure all are MODULE_FOUND again,
 * *culprit is the one that failed (NULL: memory), and err says why.
 */
int stage_enter(const struct module_list *list, const struct config *config,
	struct loop *control, struct relay_module **culprit,
	struct relay_err *err);
/* [C]  Undoes that, or what there is of it, before they were published. */
void stage_abandon(const struct module_list *list);
/* [C]  To MODULE_LEAVING, or back to MODULE_LIVE. */
void stage_mark(const struct module_list *list, enum module_stage stage);
/* [C]  Makes them MODULE_LIVE and their registrations visible. */
void stage_publish(const struct module_list *list);

/* Own thread: worker_stop where worker_start was, in reverse. */
void stage_leave_worker(const struct module_list *list, struct loop *loop);
/* [C]  stop, withdrawal, fini: for those that have left every worker. */
void stage_leave(const struct module_list *list);

/* [C]  Calls `ready` of all that have it. */
void stage_ready(const struct module_list *list);
/* [C]  The sum of what they answer. */
int64_t stage_drain(const struct module_list *list, enum relay_drain how);

#endif
