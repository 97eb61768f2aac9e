/* SPDX-License-Identifier: MPL-2.0 */

/* stuck-worker: holds up worker 0 for as long as a file is there. */

#include <time.h>
#include <unistd.h>

#include <strelaysrv/module.h>

#define LOOKS_MOST 60000 /* ten minutes: no test takes longer */

struct conf {
	const char *file;
};

static const struct relay_option options[] = {
	RELAY_OPT(struct conf, file, const char *, "file", RELAY_STRING, "hold",
		1, 4095, "the file"),
	RELAY_OPT_END,
};

static int64_t look(struct relay_ctx *cx, void *arg)
{
	const struct timespec a_while = {0, 10 * 1000000};
	const struct conf *conf = cx->conf;

	(void)arg;
	for (int i = 0; i < LOOKS_MOST && access(conf->file, F_OK) == 0; i++)
		nanosleep(&a_while, NULL);
	return 10;
}

static int worker_start(struct relay_ctx *cx, struct relay_err *err)
{
	if (cx->worker != 0)
		return 0;
	return relay_timer_add(cx, 10, look, NULL)
		       ? 0
		       : relay_fail(err, "no timer");
}

RELAY_MODULE = {
	RELAY_MODULE_INFO("stuck-worker", "1", "holds up a worker"),
	.options = options,
	.conf_size = sizeof(struct conf),
	.worker_start = worker_start,
};
