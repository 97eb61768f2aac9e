/* SPDX-License-Identifier: MPL-2.0 */

/* slow-1 to slow-6: a callback of each takes some time, once. */

#include <time.h>

#include <strelaysrv/module.h>

struct conf {
	int64_t in;
	int64_t time_ms;
};

static const char *const places[] = {
	"init", "start", "worker-start", "worker-stop", "stop", NULL};
enum { IN_INIT, IN_START, IN_WORKER_START, IN_WORKER_STOP, IN_STOP };

static const struct relay_option options[] = {
	RELAY_OPT(struct conf, in, int64_t, "in", RELAY_CHOICE, "start", 0, 0,
		"which callback", .choices = places),
	RELAY_OPT(struct conf, time_ms, int64_t, "time", RELAY_DURATION, "3s",
		0, 60000, "how long"),
	RELAY_OPT_END,
};

static void pass(const struct relay_ctx *cx, int64_t place)
{
	const struct conf *conf = cx->conf;
	const struct timespec time = {(time_t)(conf->time_ms / 1000),
		(long)(conf->time_ms % 1000) * 1000000};

	if (conf->in == place && cx->worker <= 0)
		nanosleep(&time, NULL);
}

static int init(struct relay_ctx *cx, struct relay_err *err)
{
	(void)err;
	pass(cx, IN_INIT);
	return 0;
}

static int start(struct relay_ctx *cx, struct relay_err *err)
{
	(void)err;
	pass(cx, IN_START);
	return 0;
}

static int worker_start(struct relay_ctx *cx, struct relay_err *err)
{
	(void)err;
	pass(cx, IN_WORKER_START);
	return 0;
}

static void worker_stop(struct relay_ctx *cx)
{
	pass(cx, IN_WORKER_STOP);
}

static void stop(struct relay_ctx *cx)
{
	pass(cx, IN_STOP);
}

RELAY_MODULE = {
	RELAY_MODULE_INFO(NAME, "1", "takes its time"),
	.options = options,
	.flags = RELAY_CONFINED,
	.conf_size = sizeof(struct conf),
	.init = init,
	.start = start,
	.stop = stop,
	.worker_start = worker_start,
	.worker_stop = worker_stop,
};
