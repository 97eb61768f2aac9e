/* SPDX-License-Identifier: MPL-2.0 */

/* A module's work on a thread of its own. */

#include <stdlib.h>

#include <strelaysrv/thread.h>

#include "loop/blocking_task.h"
#include "modules/module.h"
#include "modules/module_call.h"
#include "modules/work.h"

struct module_work {
	const struct relay_work *kind;
	void *arg;                /* freed by kind->free */
	struct relay_module *mod; /* valid until the task is dropped */
	struct task *task;        /* owned by the module */
};

static void run(void *arg)
{
	struct module_work *work = arg;

	work->kind->run(work->arg);
}

static void finish(void *arg)
{
	struct module_work *work = arg;

	work->kind->free(work->arg);
	free(work);
}

static void done(void *arg)
{
	struct module_work *work = arg;
	struct relay_module *mod = work->mod;
	struct module_call call;

	/* First, because the callback may start the next. */
	mod->work = NULL;
	if (work->kind->done) {
		module_call_begin(&call, &mod->control.pub);
		work->kind->done(&mod->control.pub, work->arg);
		module_call_end(&call, "the end of a work");
	}
	task_drop(work->task);
}

static const struct task_kind kind = {.run = run, .done = done, .free = finish};

static int refuse_second(const struct module_work *work, struct relay_err *err)
{
	struct relay_err why;

	if (task_hangs(work->task, &why))
		return relay_fail(err, "%.200s", why.text);
	return relay_fail(err, "the previous work has not ended yet");
}

bool relay_work_wait(struct relay_ctx *cx, int64_t ms)
{
	struct module_work *work = cx->mod->work;

	if (!work)
		return true;
	if (!task_wait(work->task, ms))
		return false;
	done(work);
	return !cx->mod->work;
}

int relay_work_start(struct relay_ctx *cx, const struct relay_work *work,
	void *arg, struct relay_err *err)
{
	struct relay_module *mod = cx->mod;
	struct module_work *next;

	/* The message of a task that has ended may be under way, or lost. */
	(void)relay_work_wait(cx, 0);
	if (mod->work)
		return refuse_second(mod->work, err);
	next = malloc(sizeof(*next));
	if (!next)
		return relay_fail(err, "out of memory");
	*next = (struct module_work){.kind = work, .arg = arg, .mod = mod};
	next->task = task_start(&kind, next, mod->control.loop, err);
	if (!next->task) {
		free(next);
		return -1;
	}
	mod->work = next;
	return 0;
}

void work_withdraw(struct relay_module *mod)
{
	if (mod->work)
		task_drop(mod->work->task);
	mod->work = NULL;
}

void relay_work_drop(struct relay_ctx *cx)
{
	work_withdraw(cx->mod);
}
