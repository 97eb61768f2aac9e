/* SPDX-License-Identifier: MPL-2.0 */

/* Which file a thread works on. */

#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/file_wait.h"

static _Thread_local struct file_wait *here;

int file_wait_init(struct file_wait *wait)
{
	wait->since_ms = 0;
	wait->path[0] = '\0';
	wait->given_up = false;
	return pthread_mutex_init(&wait->lock, NULL) == 0 ? 0 : -1;
}

void file_wait_finish(struct file_wait *wait)
{
	(void)pthread_mutex_destroy(&wait->lock);
}

void file_wait_here(struct file_wait *wait)
{
	here = wait;
}

void file_wait_begin(const char *path)
{
	int error = errno;

	if (here) {
		pthread_mutex_lock(&here->lock);
		here->since_ms = clock_ms();
		(void)snprintf(here->path, sizeof(here->path), "%s", path);
		pthread_mutex_unlock(&here->lock);
	}
	errno = error;
}

void file_wait_end(void)
{
	int error = errno;

	if (here) {
		pthread_mutex_lock(&here->lock);
		here->since_ms = 0;
		pthread_mutex_unlock(&here->lock);
	}
	errno = error;
}

bool file_wait_given_up(void)
{
	bool given_up;

	if (!here)
		return false;
	pthread_mutex_lock(&here->lock);
	given_up = here->given_up;
	pthread_mutex_unlock(&here->lock);
	return given_up;
}

int64_t file_wait_ms(struct file_wait *wait, char *path, size_t cap)
{
	int64_t since_ms;

	pthread_mutex_lock(&wait->lock);
	since_ms = wait->since_ms;
	(void)snprintf(path, cap, "%s", wait->path);
	pthread_mutex_unlock(&wait->lock);
	return since_ms ? clock_ms() - since_ms : 0;
}

void file_wait_give_up(struct file_wait *wait)
{
	pthread_mutex_lock(&wait->lock);
	wait->given_up = true;
	pthread_mutex_unlock(&wait->lock);
}
