/* SPDX-License-Identifier: MPL-2.0 */

/*
 * A step from one set of running modules, and one configuration, to the next.
 *
 * step_prepare() does all that can fail, beside what runs; step_take() swaps,
 * thread by thread between two events; step_settle() lets go of what leaves.
 * Options that need a restart get their old values in `config`.
 * All is [C].
 */
#ifndef STEP_H
#define STEP_H

#include "config/changes.h"
#include "modules/stage.h"
#include "modules/module.h"
#include "workers/workers.h"

struct catalog;
struct config;

struct step {
	/* To be set by the caller; borrowed. */
	const struct catalog *catalog;
	const struct config *before; /* in force until now; NULL: none */
	struct config *config;       /* that is to be in force */
	struct loop *control;
	const struct module_list *running; /* until step_take() */
	const struct layout *layout;       /* in use; replaced if need be */

	struct module_list wanted;          /* all that shall run, in order */
	struct module_list kept;            /* of these, those that run */
	struct module_list coming;          /* and those that do not yet */
	struct module_list leaving;         /* that run and shall not */
	struct changes changes;             /* owned; see step_forget() */
	struct hook_set *sets[WORKERS_MAX]; /* owned until adopted */
};

/* Asks each module named in the configuration.  0, or -1 logged. */
int step_check(struct step *step);
/* 0, or -1 logged, and then all is as it was. */
int step_prepare(struct step *step);
void step_take(struct step *step);
void step_settle(struct step *step);
/* Frees what step_prepare() found to tell, whatever became of the step. */
void step_forget(struct step *step);

#endif
