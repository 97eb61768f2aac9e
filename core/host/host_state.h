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
struct event;
struct flags;
struct key_check;
struct layout;
struct config_loader;
struct loop;
struct name_lookup;
struct readings;
struct workers_ask;

/* For host.c. */
struct host {
	struct catalog *catalog; /* borrowed, as are the next two */
	const struct flags *flags;
	struct loop *control;
	struct config_module *schema; /* owned */
	struct module_list running;   /* in the order of `modules` */
	const struct layout *layout;  /* borrowed */
	struct config *current;       /* owned */
	/* borrowed; NULL unless a transition is being made */
	const struct config *next;
	bool checking; /* `next` is only checked */
};

/* For core_options_change.c; workers use it in core_options_take_here(). */
struct settings {
	struct identity *in_use;      /* borrowed */
	const struct core_conf *conf; /* borrowed; NULL: nothing is staged */
	const struct core_conf *before;
	unsigned char *buffers[WORKERS_MAX]; /* owned; NULL: unchanged */
};

/* For reloading.c. */
struct reloading {
	void (*tell)(bool is_on);
	bool is_on;
	bool succeeded;               /* the last one */
	struct config *config;        /* owned; NULL: not read yet */
	struct config_loader *loader; /* owned */
	struct readings *readings;    /* owned; NULL: not begun */
	struct key_check *keys;       /* owned; NULL: not begun */
	struct name_lookup *names;    /* owned; NULL: not begun */
	struct event *timer;          /* owned; exists while it is on */
	struct workers_ask *ask;      /* owned; NULL: no answer is awaited */
	void (*next)(void);           /* what is done after the answer */
};

/* For sandbox_fit.c. */
#define SANDBOX_FOLDERS 32
/* What the process can no longer do.  All zero: it has not entered one. */
struct sandbox_state {
	bool calls;     /* system calls are filtered */
	bool files;     /* Landlock */
	unsigned needs; /* SANDBOX_... of base/sandbox.h */
	/* Owned: folders of the system in which it may write. */
	char *folders[SANDBOX_FOLDERS];
	size_t folder_count;
};

struct host_state {
	struct host host;
	struct reloading reloading;
	struct settings settings;
	struct sandbox_state sandbox;
};

/* [C]  0, or -1 without memory. */
int host_create(void);
/* [C]  After host_finish().  Accepts a state that was not made. */
void host_destroy(void);

#endif
