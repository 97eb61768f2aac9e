/* SPDX-License-Identifier: MPL-2.0 */

/* Work that may block, on threads that may be abandoned. */

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <strelaysrv/thread.h>

#include "base/clock.h"
#include "base/file_wait.h"
#include "loop/loop.h"
#include "loop/blocking_task.h"

struct task {
	const struct task_kind *kind;
	void *arg;
	struct loop *loop;
	int64_t began_ms;
	bool counted; /* as hanging; used by the owner */
	struct file_wait busy;
	atomic_uint users; /* references: of the owner, and of the thread or its
			      message */
	pthread_mutex_t lock;
	pthread_cond_t ended;
	bool has_ended, dropped; /* under the lock */
};

static atomic_uint threads;
static _Atomic int64_t hung;

unsigned task_threads(void)
{
	return atomic_load(&threads);
}

int64_t tasks_hung(void)
{
	return atomic_load(&hung);
}

static void leave(struct task *task)
{
	if (atomic_fetch_sub(&task->users, 1) > 1)
		return;
	task->kind->free(task->arg);
	(void)pthread_cond_destroy(&task->ended);
	(void)pthread_mutex_destroy(&task->lock);
	file_wait_finish(&task->busy);
	free(task);
}

static bool is_dropped(struct task *task)
{
	bool dropped;

	pthread_mutex_lock(&task->lock);
	dropped = task->dropped;
	pthread_mutex_unlock(&task->lock);
	return dropped;
}

static void arrive(struct loop *loop, void *arg)
{
	struct task *task;

	(void)loop;
	memcpy(&task, arg, sizeof(task));
	if (!is_dropped(task))
		task->kind->done(task->arg);
	leave(task);
}

/* Returns whether a message now holds the thread's reference.  If the owner has
 * dropped the task, its loop may be gone. */
static bool tell_owner(struct task *task)
{
	bool told;

	pthread_mutex_lock(&task->lock);
	task->has_ended = true;
	pthread_cond_signal(&task->ended);
	told = !task->dropped && task->kind->done &&
	       loop_post(task->loop, arrive, &task, sizeof(task)) == 0;
	pthread_mutex_unlock(&task->lock);
	return told;
}

static void *run(void *arg)
{
	struct task *task = arg;

	(void)pthread_setname_np(pthread_self(), "task");
	file_wait_here(&task->busy);
	task->kind->run(task->arg);
	file_wait_here(NULL);
	if (!tell_owner(task))
		leave(task);
	atomic_fetch_sub(&threads, 1);
	return NULL;
}

static int init_ended(struct task *task)
{
	pthread_condattr_t attr;
	int error;

	if (pthread_condattr_init(&attr) != 0)
		return -1;
	error = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) ||
		pthread_cond_init(&task->ended, &attr);
	(void)pthread_condattr_destroy(&attr);
	return error ? -1 : 0;
}

static struct task *make(
	const struct task_kind *kind, void *arg, struct loop *loop)
{
	struct task *task = calloc(1, sizeof(*task));

	if (!task)
		return NULL;
	task->kind = kind;
	task->arg = arg;
	task->loop = loop;
	task->began_ms = clock_ms();
	atomic_init(&task->users, 2);
	if (file_wait_init(&task->busy) != 0)
		goto error;
	if (pthread_mutex_init(&task->lock, NULL) != 0)
		goto error_busy;
	if (init_ended(task) == 0)
		return task;
	(void)pthread_mutex_destroy(&task->lock);
error_busy:
	file_wait_finish(&task->busy);
error:
	free(task);
	return NULL;
}

static void unmake(struct task *task)
{
	(void)pthread_cond_destroy(&task->ended);
	(void)pthread_mutex_destroy(&task->lock);
	file_wait_finish(&task->busy);
	free(task);
}

struct task *task_start(const struct task_kind *kind, void *arg,
	struct loop *loop, struct relay_err *err)
{
	struct task *task;
	int error;

	if (atomic_fetch_add(&threads, 1) >= TASKS_MOST) {
		atomic_fetch_sub(&threads, 1);
		relay_fail(err, "%d threads wait for files that do not answer",
			TASKS_MOST);
		return NULL;
	}
	task = make(kind, arg, loop);
	error = task ? relay_thread_start(NULL, run, task) : ENOMEM;
	if (!error)
		return task;
	atomic_fetch_sub(&threads, 1);
	if (task)
		unmake(task);
	relay_fail(err, "cannot start a thread: %s", strerror(error));
	return NULL;
}

bool task_wait(struct task *task, int64_t ms)
{
	struct timespec until;
	bool ended;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(ms / 1000);
	until.tv_nsec += (long)(ms % 1000) * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&task->lock);
	while (!task->has_ended &&
		pthread_cond_timedwait(&task->ended, &task->lock, &until) == 0)
		;
	ended = task->has_ended;
	pthread_mutex_unlock(&task->lock);
	return ended;
}

bool task_hangs(struct task *task, struct relay_err *err)
{
	int64_t all_ms = clock_ms() - task->began_ms, file_ms;
	char path[200];

	if (task_wait(task, 0))
		return false;
	file_ms = file_wait_ms(&task->busy, path, sizeof(path));
	if (file_ms >= TASK_FILE_MS)
		relay_fail(err, "%s has not answered for %d s", path,
			TASK_FILE_MS / 1000);
	else if (all_ms >= TASK_ALL_MS)
		relay_fail(err, "reading files has not ended after %d s%s%s",
			TASK_ALL_MS / 1000, path[0] ? ", the last one " : "",
			path);
	else
		return false;
	if (!task->counted)
		atomic_fetch_add(&hung, 1);
	task->counted = true;
	return true;
}

void task_drop(struct task *task)
{
	pthread_mutex_lock(&task->lock);
	task->dropped = true;
	pthread_mutex_unlock(&task->lock);
	file_wait_give_up(&task->busy);
	leave(task);
}
