/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The workers as the module host sees them: loops, hook sets, and a way to run
 * something on each.  Who makes workers sets this once, before modules start.
 */
#ifndef MODULE_THREADS_H
#define MODULE_THREADS_H

struct hook_set;
struct loop;

/* Runs on a worker's own thread.  0, or other than 0 for failure. */
typedef int module_thread_fn(struct loop *loop, void *arg);

struct module_threads {
	unsigned (*count)(void);
	struct loop *(*loop)(unsigned worker); /* never NULL below count() */
	/* NULL while the server starts.  Own thread. */
	struct hook_set *(*hooks)(struct loop *loop);
	/*
	 * [C]  Runs fn on every worker between two events and waits for all.
	 * Returns how many returned other than 0 or could not be reached.
	 */
	unsigned (*call)(module_thread_fn *fn, void *arg);
};

/* Borrowed until the process ends.  [C] */
void module_threads_set(const struct module_threads *threads);
/* What was set; never NULL once workers exist.  [*] */
const struct module_threads *module_threads(void);

#endif
