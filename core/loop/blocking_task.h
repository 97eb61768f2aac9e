/* SPDX-License-Identifier: MPL-2.0 */

/*
 * A task: work that may block, on a thread of its own, such as reading a file
 * of a mount that does not answer.
 *
 * A thread that is blocked in the kernel cannot be ended.  So a task that takes
 * too long is dropped: its thread goes on alone, and frees everything when it
 * returns, which may be never.
 */
#ifndef BLOCKING_TASK_H
#define BLOCKING_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <strelaysrv/err.h>

struct loop;
struct task;

/* After this time without an answer, a file counts as hanging. */
#define TASK_FILE_MS 10000
/* After this time, a task counts as hanging. */
#define TASK_ALL_MS 60000
/* How many threads of tasks there may be in the process, hanging ones included.
 */
#define TASKS_MOST 16

struct task_kind {
	void (*run)(void *arg);  /* on the thread */
	void (*done)(void *arg); /* on the owner's loop; NULL: not called */
	/* The last call, also if the task is dropped before it ends: on the
	 * owner's or the task's thread. */
	void (*free)(void *arg);
};

/*
 * Starts a task.  `loop`: the owner's, which calls `done`; it must exist until
 * the owner calls task_drop(), once.  NULL with err: then `arg` remains the
 * caller's.
 */
struct task *task_start(const struct task_kind *kind, void *arg,
	struct loop *loop, struct relay_err *err);
/* Waits for the end of `run`, for that many ms at most.  Whether it has ended.
 */
bool task_wait(struct task *task, int64_t ms);
/* Whether it takes too long, which is counted once.  If so, err says with which
 * file, as in "/x has not answered for 10 s". */
bool task_hangs(struct task *task, struct relay_err *err);
/* `done` is not called any more, and `task` becomes invalid. */
void task_drop(struct task *task);

/* How many tasks were found to hang since the process began.  [*] */
int64_t tasks_hung(void);
/* How many threads of tasks have not ended.  While there are any, nothing that
 * they use may be freed: the process ends by _exit(). */
unsigned task_threads(void);

#endif
