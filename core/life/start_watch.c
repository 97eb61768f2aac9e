/* SPDX-License-Identifier: MPL-2.0 */

/* A thread that reports what the start waits for. */

#include <pthread.h>
#include <string.h>

#include <strelaysrv/thread.h>

#include "base/clock.h"
#include "base/file_wait.h"
#include "base/instance.h"
#include "life/life_state.h"
#include "life/start_watch.h"
#include "log/log.h"

#define LOOK_S  1
#define FIRST_S 5

static struct start_watch *self(void)
{
	return &instance->life->start_watch;
}

/* Returns whether there is one. */
static bool wait_for_look(struct start_watch *watch)
{
	return !posts_take(&watch->over, clock_ms() + LOOK_S * 1000);
}

static void *run(void *arg)
{
	struct start_watch *watch = arg;
	char path[200], before[200] = "";
	int waited_s = 0, told_s = 0;

	(void)pthread_setname_np(pthread_self(), "start watch");
	while (wait_for_look(watch)) {
		bool waits = file_wait_ms(watch->files, path, sizeof(path)) > 0;

		/* Each child that reads the file begins to wait anew. */
		if (!waits || strcmp(path, before) != 0)
			waited_s = told_s = 0;
		else
			waited_s += LOOK_S;
		memcpy(before, path, sizeof(before));
		if (waited_s < FIRST_S || waited_s < 2 * told_s)
			continue;
		told_s = waited_s;
		log_core_now(RELAY_WARNING,
			"the start has waited for %s for %d s", path, waited_s);
	}
	return NULL;
}

void start_watch_begin(struct file_wait *files)
{
	struct start_watch *watch = self();

	watch->files = files;
	if (posts_init(&watch->over) != 0)
		return;
	watch->runs = relay_thread_start(&watch->thread, run, watch) == 0;
	if (!watch->runs)
		posts_finish(&watch->over);
}

void start_watch_end(void)
{
	struct start_watch *watch = self();

	if (!watch->runs)
		return;
	posts_add(&watch->over);
	(void)pthread_join(watch->thread, NULL);
	posts_finish(&watch->over);
	watch->runs = false;
}
