/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The step from one set of running modules and one configuration to the next.
 *
 * step_prepare() does all that can fail while the old state goes on serving.
 * step_take() switches to the new state, on each thread between two events.
 * step_settle() stops the modules that leave.  Options that need a restart get
 * their old values in `config`.  All functions are [C].
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
	/* Set by the caller; borrowed. */
	const struct catalog *catalog;
	const struct config *before; /* in force until now; NULL: none */
	struct config *config;       /* to take effect */
	struct loop *control;
	const struct module_list *running; /* up to step_take() */
	const struct layout *layout; /* in use; step_prepare() may replace it */

	struct module_list wanted;  /* all that are to run, in order */
	struct module_list kept;    /* those of them that run already */
	struct module_list coming;  /* those of them that start */
	struct module_list leaving; /* that run now and will stop */
	struct changes changes;     /* owned; see step_forget() */
	/* owned until the workers take them */
	struct hook_set *sets[WORKERS_MAX];
};

/* Selects the modules and calls their hook `check`.  0, or -1 with the reason
 * logged. */
int step_check(struct step *step);
/* 0, or -1 with the reason logged; then all is as it was. */
int step_prepare(struct step *step);
void step_take(struct step *step);
void step_settle(struct step *step);
/* Frees the list of changes, whether the step was taken or not. */
void step_forget(struct step *step);

#endif
