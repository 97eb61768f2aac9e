/* SPDX-License-Identifier: MPL-2.0 */

/* Which file a thread works on. */

#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/file_wait.h"

static _Thread_local struct file_busy *here;

int file_busy_init(struct file_busy *busy)
{
	busy->since_ms = 0;
	busy->path[0] = '\0';
	busy->given_up = false;
	return pthread_mutex_init(&busy->lock, NULL) == 0 ? 0 : -1;
}

void file_busy_finish(struct file_busy *busy)
{
	(void)pthread_mutex_destroy(&busy->lock);
}

void file_busy_here(struct file_busy *busy)
{
	here = busy;
}

void file_busy_begin(const char *path)
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

void file_busy_end(void)
{
	int error = errno;

	if (here) {
		pthread_mutex_lock(&here->lock);
		here->since_ms = 0;
		pthread_mutex_unlock(&here->lock);
	}
	errno = error;
}

bool file_busy_given_up(void)
{
	bool given_up;

	if (!here)
		return false;
	pthread_mutex_lock(&here->lock);
	given_up = here->given_up;
	pthread_mutex_unlock(&here->lock);
	return given_up;
}

int64_t file_busy_ms(struct file_busy *busy, char *path, size_t cap)
{
	int64_t since_ms;

	pthread_mutex_lock(&busy->lock);
	since_ms = busy->since_ms;
	(void)snprintf(path, cap, "%s", busy->path);
	pthread_mutex_unlock(&busy->lock);
	return since_ms ? clock_ms() - since_ms : 0;
}

void file_busy_give_up(struct file_busy *busy)
{
	pthread_mutex_lock(&busy->lock);
	busy->given_up = true;
	pthread_mutex_unlock(&busy->lock);
}
