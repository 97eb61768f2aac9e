/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The event loop of a thread: its libevent base, inbox and clock.
 *
 * The control thread has one, and each worker has one.
 */
#ifndef LOOP_H
#define LOOP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <event2/event.h>

#include "base/clock.h"

struct loop;
struct relay_ctx;

/* Runs on the receiving loop; arg is a copy that is freed after the call. */
typedef void loop_fn(struct loop *loop, void *arg);

struct loop_message; /* a message in an inbox */

struct loop {
	int index; /* RELAY_CONTROL or the worker's number */
	struct event_base *base;
	struct event *wake;
	int wake_fd;
	_Atomic(struct loop_message *) inbox; /* newest first */
	struct loop_message *call;            /* owned; for loop_call() */
	atomic_bool stopped;     /* loop_stop() was called and not handled */
	_Atomic int64_t turn_ms; /* monotonic, of the current iteration */
	/* Called at the end of every event; NULL: nothing to do. */
	void (*after)(struct loop *loop);
	/* The module that runs; others see it by loop_running().  Borrowed. */
	_Atomic(const struct relay_ctx *) running;
	_Atomic pid_t thread; /* that is in loop_run(); 0: none */
	bool unreadable;      /* that wake_fd is has been logged */
};

/* The loop of the calling thread; NULL on a thread without one. */
extern _Thread_local struct loop *loop_current;

int loop_init(struct loop *loop, int index);
void loop_finish(struct loop *loop);

/*
 * Any thread may post.  `arg` is copied (aligned for any type).  Messages of
 * one sender are delivered in order.  0, or -1 without memory.
 */
int loop_post(struct loop *loop, loop_fn *fn, const void *arg, size_t len);
/*
 * Like loop_post() with a pointer, but allocates nothing and cannot fail.  Only
 * for one thread, which must wait until fn has been called before it uses
 * loop_call() for the same loop again.
 */
void loop_call(struct loop *loop, loop_fn *fn, void *arg);

/* Runs on the loop's own thread until loop_stop(). */
int loop_run(struct loop *loop);
/* Makes loop_run() return.  Any thread; allocates nothing. */
void loop_stop(struct loop *loop);

/* Delivers what is in the inbox now; used by loop_run() and at the end. */
void loop_deliver(struct loop *loop);

/* The module that runs on that loop's thread; NULL: none, or the server does
 * not know.  Any thread, and a signal handler. */
static inline const struct relay_ctx *loop_running(const struct loop *loop)
{
	return atomic_load_explicit(&loop->running, memory_order_acquire);
}

/* Own thread. */
static inline void loop_set_running(
	struct loop *loop, const struct relay_ctx *running)
{
	atomic_store_explicit(&loop->running, running, memory_order_release);
}

/* The last step of handling an event: calls `after` to clean up.  Own thread.
 */
static inline void loop_event_over(struct loop *loop)
{
	if (loop->after)
		loop->after(loop);
}

/* Sets turn_ms to the current time, and returns it.  Own thread. */
int64_t loop_tick(struct loop *loop);

static inline int64_t loop_clock_us(void)
{
	return clock_us();
}

static inline int64_t loop_clock_ms(void)
{
	return clock_ms();
}

/* From now on this loop delivers the log records of other threads.  [C] */
void loop_attach_log(struct loop *control);

#endif
