/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Modules as the server sees them: found, judged, and carried through life.
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
	MODULE_FOUND,   /* its descriptor was judged good */
	MODULE_INITED,  /* init returned 0 */
	MODULE_STARTED, /* start returned 0 */
	MODULE_LIVE,    /* workers run it; its registrations are visible */
	MODULE_LEAVING, /* a step that is under way will end it */
};

/* A module's context on one thread, and what hangs on it there. */
struct module_ctx {
	struct relay_ctx pub; /* first: a relay_ctx is a module_ctx */
	struct loop *loop;
	struct metrics_shard *shard;
	struct relay_timer *timers; /* list, owned */
	bool entered;               /* worker_start returned 0 */
	bool aside; /* a worker's: it wants no transfer hooks; own thread */
	int64_t complained_ms; /* of an answer that is no verdict; 0: never */
};

/* Which file it was, to notice that another took its place. */
struct module_file {
	dev_t dev;
	ino_t ino;
	struct timespec changed;
};

/*
 * Lives until the process ends, also while it does not run, and so do its
 * contexts: messages that come too late may still point to them.
 */
struct relay_module {
	/* A copy, so that an older, shorter descriptor reads as zeroes. */
	struct relay_module_def def;
	char *path;   /* owned */
	void *handle; /* of dlopen, owned; NULL for the server's own */
	struct module_file file;
	bool present; /* the file was there at the last look */
	bool pinned;  /* ran once: its code stays mapped */
	enum module_stage stage;
	bool required;   /* false: a failure is only a warning */
	bool preparing;  /* reload_prepare runs; [C] */
	unsigned slot;   /* index in object layouts, unique while it runs */
	uint64_t serial; /* of this run of the module, never given again */
	void *data;      /* owned */
	/* Ever, and on all threads: of its timers and HTTP answers. */
	_Atomic int64_t failures, slow_calls;
	struct metrics_owner metrics; /* see metric_calls.c */
	struct module_ctx control;
	struct module_ctx *workers; /* worker_count of them, owned */
};

static inline struct module_ctx *module_ctx_of(const struct relay_ctx *cx)
{
	/* The public part is handed out const to keep modules honest. */
	return (struct module_ctx *)(uintptr_t)cx;
}

/* Its name, and its version or "".  Safe in a signal handler.  [*] */
void module_describe(
	const struct relay_ctx *cx, const char **name, const char **version);

/* A module whose registrations (route, sink, service, metric) others may see.
 */
static inline bool module_visible(const struct relay_module *mod)
{
	return mod->stage == MODULE_LIVE;
}

/* [C]  Whether it may register `what`: not while it prepares a reload that may
 * be abandoned, which is logged. */
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
 * [C]  Opens the file and judges its descriptor before any of its functions is
 * called; `name` is what the file name promises.  NULL with err saying what was
 * found and what would be right.
 */
struct relay_module *module_open(
	const char *path, const char *name, struct relay_err *err);
/* Accepts NULL.  Only for a module that does not run. */
void module_close(struct relay_module *mod);
/* From here on its code stays mapped until the process ends.  [C] */
void module_pin(struct relay_module *mod);
/* Whether another file took its place since it was opened. */
bool module_file_changed(const struct relay_module *mod);

/* Pure: whether a descriptor is one that this server can run.  0 or -1. */
int module_judge(const struct relay_module_def *def, size_t symbol_size,
	const char *name, struct relay_err *err);
/* The part of it about the table of options. */
int module_judge_options(const struct relay_option *options, size_t conf_size,
	struct relay_err *err);
/* [a-z][a-z0-9-]*, as names of modules and options are. */
bool module_name_valid(const char *name);

#endif
