/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Threads: messages between threads, own threads, event loops, and time.
 *
 * Send ids in messages, not pointers.  The receiver looks the object up again,
 * because it may have ended meanwhile.
 */
#ifndef RELAY_THREAD_H
#define RELAY_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <strelaysrv/err.h>

#ifdef __cplusplus
extern "C" {
#endif

struct event_base;
struct relay_ctx;

/* The largest message, in bytes. */
#define RELAY_POST_MAX 512

typedef void relay_post_fn(struct relay_ctx *cx, const void *arg);

/*
 * Runs `fn` on the worker `to`, or on the control thread with RELAY_CONTROL,
 * with a copy of the `len` bytes at `arg`.  [*] Messages of one sender arrive
 * in order; no lock is taken.  Returns 0, or -1 if memory is short.  A message
 * that has not arrived when the module is stopped on that thread is dropped.
 */
int relay_post(struct relay_ctx *cx, int to, relay_post_fn *fn, const void *arg,
	size_t len);

/* How many workers there are, 1 or more.  [*] */
int relay_worker_count(void);

/*
 * Starts a thread for blocking work, such as resolving names or writing to a
 * database.  [*] The thread blocks all signals; a thread started with
 * pthread_create() would receive signals meant for the control thread.  Its
 * stack has 2 MiB, whatever `ulimit -s` says.  The caller must join `*thread`;
 * with NULL it is detached.  Returns 0, or an error number.
 *
 * The module's contexts become invalid after stop: a thread that is not joined
 * there must not use them.  The module's code stays mapped until the process
 * ends.
 */
int relay_thread_start(pthread_t *thread, void *(*run)(void *), void *arg);

/*
 * Work that may block, such as writing a file whose mount may not answer.  A
 * module has one at a time, so at most one of its threads hangs.
 */
struct relay_work {
	/* On a thread of its own, without a context.  Functions marked [*]. */
	void (*run)(void *arg);
	/* [C]  When `run` has returned, unless the module has stopped or has
	 * called relay_work_drop().  May start the next work. */
	void (*done)(struct relay_ctx *cx, void *arg);
	/* The last call, on any thread; after a module has stopped as well. */
	void (*free)(void *arg);
};

/* [C]  Starts it; `work` is constant.  0; or -1 with err, and `arg` remains the
 * caller's: the work before has not ended (err names the file that it waits
 * for), or there is no memory or thread. */
int relay_work_start(struct relay_ctx *cx, const struct relay_work *work,
	void *arg, struct relay_err *err);
/* [C]  Waits for its end for that many ms at most, then calls `done`.  Whether
 * no work is left.  For `stop`, where there is no other event. */
bool relay_work_wait(struct relay_ctx *cx, int64_t ms);
/* [C]  Leaves it alone.  If it is in relay_file_replace(), it changes nothing
 * any more. */
void relay_work_drop(struct relay_ctx *cx);

/*
 * The calling thread's libevent base, for modules with their own I/O.  [*] The
 * module must remove its events before stop or worker_stop returns.
 *
 * The server does not see which of these events runs.  If its thread does not
 * return to the loop for 5 s, the server finds out by SIGURG whose code runs,
 * so a module must not handle that signal.
 */
struct event_base *relay_event_base(struct relay_ctx *cx);

/* Monotonic time at the start of the iteration: cheap, for deadlines.  [*] */
int64_t relay_now_ms(const struct relay_ctx *cx);
/* The wall clock, microseconds since 1970.  [*] */
int64_t relay_wall_us(void);

#ifdef __cplusplus
}
#endif

#endif
