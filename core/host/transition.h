/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The transition from one set of running modules and one configuration to the
 * next.
 *
 * transition_prepare() does all that can fail while the old state goes on
 * serving. transition_take() switches to the new state, on each thread between
 * two events. transition_settle() stops the modules that leave.  Options that
 * need a restart get their old values in `config`.  All functions are [C].
 */
#ifndef TRANSITION_H
#define TRANSITION_H

#include <stdbool.h>

#include "config/config_diff.h"
#include "modules/stage.h"
#include "modules/module.h"
#include "workers/workers.h"

struct catalog;
struct config;
struct name_lookup;
struct readings;

struct transition {
	/* Set by the caller; borrowed. */
	const struct catalog *catalog;
	const struct config *before; /* in force until now; NULL: none */
	struct config *config;       /* to take effect */
	struct loop *control;
	const struct readings
		*readings; /* of all modules that are to run; they have ended */
	const struct name_lookup *names;   /* has ended; NULL unless `before` */
	const struct module_list *running; /* up to transition_take() */
	const struct layout
		*layout; /* in use; transition_prepare() may replace it */

	struct module_list wanted;  /* all that are to run, in order */
	struct module_list kept;    /* those of them that run already */
	struct module_list coming;  /* those of them that start */
	struct module_list leaving; /* that run now and will stop */
	struct config_diff changes; /* owned; see transition_forget() */
	/* owned until the workers take them */
	struct hook_set *sets[WORKERS_MAX];
};

/* Selects the modules and calls their hook `check`.  0, or -1 with the reason
 * logged. */
int transition_check(struct transition *transition);
/* Then, for -check, calls their hook `advise`. */
void transition_advise(const struct transition *transition);
/* Logs which worker does not answer, so that no change can be made. */
void transition_tell_hanging(void);
/* 0, or -1 with the reason logged; then all is as it was. */
int transition_prepare(struct transition *transition);
void transition_take(struct transition *transition);
void transition_settle(struct transition *transition);
/* Frees the list of changes, whether the transition was made or not. */
void transition_forget(struct transition *transition);

#endif
