/* SPDX-License-Identifier: MPL-2.0 */

/* A condition variable with a count. */

#include <errno.h>
#include <time.h>

#include "base/clock.h"
#include "base/posts.h"
#include "base/time_span.h"

int posts_init(struct posts *posts)
{
	pthread_condattr_t attr;
	int error;

	posts->count = 0;
	if (pthread_condattr_init(&attr) != 0)
		return -1;
	error = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	if (!error)
		error = pthread_cond_init(&posts->added, &attr);
	pthread_condattr_destroy(&attr);
	if (error)
		return -1;
	if (pthread_mutex_init(&posts->lock, NULL) == 0)
		return 0;
	pthread_cond_destroy(&posts->added);
	return -1;
}

void posts_finish(struct posts *posts)
{
	pthread_cond_destroy(&posts->added);
	pthread_mutex_destroy(&posts->lock);
}

void posts_add(struct posts *posts)
{
	pthread_mutex_lock(&posts->lock);
	posts->count++;
	/* Within the lock: the thread that takes it may free it at once. */
	pthread_cond_signal(&posts->added);
	pthread_mutex_unlock(&posts->lock);
}

bool posts_take(struct posts *posts, int64_t until_ms)
{
	const struct timespec until = time_span_spec(until_ms);
	int error = 0;
	bool result;

	pthread_mutex_lock(&posts->lock);
	/* The wait may end too early: libfaketime takes the wrong clock. */
	while (posts->count == 0 && clock_ms() < until_ms &&
		(error == 0 || error == ETIMEDOUT))
		error = pthread_cond_timedwait(
			&posts->added, &posts->lock, &until);
	result = posts->count > 0;
	if (result)
		posts->count--;
	pthread_mutex_unlock(&posts->lock);
	return result;
}
