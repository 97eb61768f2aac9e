/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Modules as the server sees them: their files, descriptors, contexts, stages.
 */
#ifndef MODULE_H
#define MODULE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include <strelaysrv/module.h>

#include "metrics/metrics.h"

#define WORKERS_MAX 256
#define MODULES_MAX 64 /* that run at the same time */

struct config;
struct loop;

enum module_stage {
	MODULE_FOUND,   /* it does not run; its descriptor is valid */
	MODULE_INITED,  /* init returned 0 */
	MODULE_STARTED, /* start returned 0 */
	MODULE_LIVE,    /* workers run it; its registrations are visible */
	MODULE_LEAVING, /* the reload in progress will end it */
};

/* A module's context on one thread, and what belongs to it there. */
struct module_ctx {
	struct relay_ctx pub; /* first: a relay_ctx is a module_ctx */
	struct loop *loop;
	struct metrics_shard *shard;
	struct relay_timer *timers; /* list, owned */
	bool entered;               /* worker_start returned 0 */
	bool no_transfers; /* workers: it wants no transfer hooks; own thread */
	int64_t complained_ms; /* when a wrong verdict was logged; 0: never */
};

/* Identifies the file that was opened, to notice that it was replaced. */
struct module_file {
	dev_t dev;
	ino_t ino;
	struct timespec changed;
};

/* What the module has read for its options, see relay_files_read_fn. */
struct option_files {
	const void *conf; /* compared only; NULL: nothing was read */
	void *files;      /* owned */
};

struct module_work;

/*
 * Lives until the process ends, even if the module does not run, as do its
 * contexts: late messages may still point to them.
 */
struct relay_module {
	/* A copy; members that an older descriptor does not have are zero. */
	struct relay_module_def def;
	char *path;   /* owned */
	void *handle; /* from dlopen(); owned; NULL: built into the server */
	struct module_file file;
	bool present; /* the last scan found the file */
	bool pinned;  /* it has run: its code stays mapped */
	enum module_stage stage;
	bool required;  /* false: a failure is only a warning */
	bool preparing; /* reload_prepare runs; [C] */
	/* The context of calls of `check`, which uses none; other threads may
	 * read it at any time. */
	struct relay_ctx checking;
	unsigned slot;   /* index in object layouts, unique while it runs */
	uint64_t serial; /* of this run of the module; never reused */
	void *data;      /* owned */
	/* The current ones, and those of a transition under way.  [C] */
	struct option_files files, files_next;
	struct module_work *work; /* see work.c; NULL: none; [C] */
	/* Totals: failures of its timers and HTTP routes on any thread, and
	 * slow calls on the control thread. */
	_Atomic int64_t failures, slow_calls;
	_Atomic int64_t hangs; /* of any thread in one of its calls */
	/* Of its protocol, on all workers: open ones, and bytes that those have
	 * forwarded which have ended. */
	_Atomic int64_t sessions, session_traffic;
	struct metrics_owner metrics; /* see metric_api.c */
	struct module_ctx control;
	struct module_ctx *workers; /* worker_count of them, owned */
};

/* The context, on a worker, of the run of the module with this serial; NULL if
 * it does not run there.  Own thread. */
struct relay_ctx *module_ctx_on(
	struct relay_module *mod, uint64_t serial, int worker);

static inline struct module_ctx *module_ctx_of(const struct relay_ctx *cx)
{
	/* Modules get a const pointer so that they do not change the context.
	 */
	return (struct module_ctx *)(uintptr_t)cx;
}

/* Gets the module's name, and its version or "".  Safe in a signal handler.
 * [*] */
void module_describe(
	const struct relay_ctx *cx, const char **name, const char **version);

/* Whether others may see the module's registrations (routes, sinks, services,
 * metrics). */
static inline bool module_visible(const struct relay_module *mod)
{
	return mod->stage == MODULE_LIVE;
}

/* [C]  Whether it may register `what`.  A module in reload_prepare may not,
 * since the reload may be abandoned; the attempt is logged. */
static inline bool module_may_register(
	const struct relay_ctx *cx, const char *what)
{
	if (cx->mod->preparing)
		relay_log(cx, RELAY_ERROR,
			"%s cannot be registered in reload_prepare, only in "
			"init",
			what);
	return !cx->mod->preparing;
}

/*
 * [C]  Opens the file, and checks its descriptor before any of its functions is
 * called.  `name` is the module's name according to the file name.  NULL with
 * err, which says what was found and what would be correct.
 */
struct relay_module *module_open(
	const char *path, const char *name, struct relay_err *err);
/* Accepts NULL.  Only for a module that does not run. */
void module_close(struct relay_module *mod);
/* Keeps its code mapped until the process ends.  [C] */
void module_pin(struct relay_module *mod);
/* 0, or -1 with errno.  [*] */
int module_file_identify(const char *path, struct module_file *file);
/* Whether the file was changed or replaced since it was opened; all zero: it is
 * not known. */
bool module_file_changed(
	const struct relay_module *mod, const struct module_file *now);

/* Checks whether this server can run a module with that descriptor.  Pure.  0,
 * or -1 with err. */
int module_judge(const struct relay_module_def *def, size_t symbol_size,
	const char *name, struct relay_err *err);
/* The part of module_judge() that checks the table of options. */
int module_judge_options(const struct relay_option *options, size_t conf_size,
	struct relay_err *err);
/* Whether it can be the name of a module or option: [a-z][a-z0-9-]*. */
bool module_name_valid(const char *name);

#endif
