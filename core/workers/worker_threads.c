/* SPDX-License-Identifier: MPL-2.0 */

/* Tells the module host how to reach the workers. */

#include "modules/module_threads.h"
#include "workers/hang_watch.h"
#include "workers/worker_threads.h"
#include "workers/workers.h"

static struct loop *loop_of(unsigned worker)
{
	return &workers_get(worker)->loop;
}

static struct hook_set *hooks_of(struct loop *loop)
{
	return worker_of(loop)->hooks;
}

struct call {
	module_thread_fn *fn;
	void *arg;
};

static int call_here(struct worker *worker, void *arg)
{
	const struct call *call = arg;

	return call->fn(&worker->loop, call->arg);
}

static unsigned call_each(module_thread_fn *fn, void *arg)
{
	struct call call = {fn, arg};

	return workers_call(call_here, &call);
}

void worker_threads_introduce(void)
{
	static const struct module_threads threads = {.count = workers_count,
		.loop = loop_of,
		.hooks = hooks_of,
		.call = call_each,
		.stepped = hang_watch_stepped};

	module_threads_set(&threads);
}
