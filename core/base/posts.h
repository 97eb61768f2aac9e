/* SPDX-License-Identifier: MPL-2.0 */

/*
 * A counting semaphore whose wait ends by the monotonic clock.  The wait of
 * sem_timedwait(3) changes with the time of day, and few C libraries have
 * sem_clockwait().
 */
#ifndef POSTS_H
#define POSTS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct posts {
	pthread_mutex_t lock; /* guards the count */
	pthread_cond_t added;
	unsigned count;
};

/* 0, or -1 without memory. */
int posts_init(struct posts *posts);
/* No thread uses it any more. */
void posts_finish(struct posts *posts);

/* Not in a signal handler.  [*] */
void posts_add(struct posts *posts);
/* Takes one; waits for it until clock_ms() has reached `until_ms`.  Returns
 * whether there was one.  [*] */
bool posts_take(struct posts *posts, int64_t until_ms);

#endif
