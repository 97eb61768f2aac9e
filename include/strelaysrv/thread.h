/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Threads: what crosses from one to another, and time.
 *
 * Objects do not cross; ids do.  Whoever receives a message looks its object
 * up again, since it may have ended meanwhile.
 */
#ifndef RELAY_THREAD_H
#define RELAY_THREAD_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

struct event_base;
struct relay_ctx;

/* The largest message, in bytes. */
#define RELAY_POST_MAX 512

typedef void relay_post_fn(struct relay_ctx *cx, const void *arg);

/*
 * Runs `fn` on the worker `to`, or on the control thread with RELAY_CONTROL,
 * with a copy of the `len` bytes at `arg`.  [*]  Messages of one sender arrive
 * in order; no lock is taken.  0, or -1 without memory.  A message that has not
 * arrived when the module leaves that thread is dropped.
 */
int relay_post(struct relay_ctx *cx, int to, relay_post_fn *fn, const void *arg,
	size_t len);

/* How many workers there are, 1 or more.  [*] */
int relay_worker_count(void);

/*
 * Starts a thread for work that blocks, such as looking up names or writing to
 * a database.  [*]  Signals stay the control thread's, of which a thread made
 * with pthread_create() would take its share.  `*thread` is the caller's to
 * join; NULL starts it detached.  0, or an error number.
 *
 * Contexts of its module end with stop: a thread that is not joined there must
 * not use them any more.  Its code stays mapped until the process ends.
 */
int relay_thread_start(pthread_t *thread, void *(*run)(void *), void *arg);

/*
 * The calling thread's libevent base, for modules that bring I/O of their own.
 * [*]  Events on it are the module's to remove before stop or worker_stop
 * returns.
 */
struct event_base *relay_event_base(struct relay_ctx *cx);

/* Monotonic time as of the current loop turn: cheap, for deadlines.  [*] */
int64_t relay_now_ms(const struct relay_ctx *cx);
/* The wall clock, microseconds since 1970.  [*] */
int64_t relay_wall_us(void);

#endif
