/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The room's state: that of each of its units.
 */
#ifndef HOST_STATE_H
#define HOST_STATE_H

#include <stdbool.h>

#include "modules/stage.h"
#include "tls/identity.h"
#include "workers/workers.h"

struct catalog;
struct config;
struct config_module;
struct core_conf;
struct flags;
struct layout;
struct loop;

/* For host.c. */
struct host {
	struct catalog *catalog; /* borrowed, as are the next two */
	const struct flags *flags;
	struct loop *control;
	struct config_module *schema; /* owned */
	struct module_list running;   /* in the order of `modules` */
	const struct layout *layout;  /* borrowed; never freed */
	struct config *current;       /* owned */
	/* borrowed; NULL unless a transition is being made */
	const struct config *next;
};

/* For settings.c; workers use it in settings_take_here(). */
struct settings {
	struct identity *in_use;      /* borrowed */
	const struct core_conf *conf; /* borrowed; NULL: nothing is staged */
	const struct core_conf *before;
	unsigned char *buffers[WORKERS_MAX]; /* owned; NULL: unchanged */
};

struct host_state {
	struct host host;
	struct settings settings;
};

/* [C]  0, or -1 without memory. */
int host_create(void);
/* [C]  After host_finish().  Accepts a state that was not made. */
void host_destroy(void);

#endif
