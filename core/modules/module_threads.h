/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The workers as the module host sees them: their loops and hook sets, and a
 * way to run a function on each.  The room that makes the workers sets this
 * once, before modules start.
 */
#ifndef MODULE_THREADS_H
#define MODULE_THREADS_H

struct hook_set;
struct loop;

/* Runs on a worker's own thread.  0, or nonzero for failure. */
typedef int module_thread_fn(struct loop *loop, void *arg);

struct module_threads {
	unsigned (*count)(void);
	struct loop *(*loop)(unsigned worker); /* worker < count(); not NULL */
	/* Returns NULL while the server starts.  Own thread. */
	struct hook_set *(*hooks)(struct loop *loop);
	/*
	 * [C]  Runs fn on every worker, between two events, and waits for all.
	 * Returns on how many it failed, or which could not be reached.
	 */
	unsigned (*call)(module_thread_fn *fn, void *arg);
	/* Called when one of several modules has returned from the callback of
	 * a stage, on the thread whose loop this is.  NULL: not called. */
	void (*stepped)(struct loop *loop);
};

/* `threads` is borrowed until the process ends.  [C] */
void module_threads_set(const struct module_threads *threads);
/* Gets what was set; never NULL once workers exist.  [*] */
const struct module_threads *module_threads(void);

#endif
