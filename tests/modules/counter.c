/* SPDX-License-Identifier: MPL-2.0 */

/* counter: registers one of everything, and counts on every thread. */

#include <event2/buffer.h>

#include <strelaysrv/module.h>

struct conf {
	int64_t step;
	const char *word;
	const char *password;
	int64_t room;
};

struct data {
	struct relay_metric *ticks, *delays;
};

static const struct relay_option options[] = {
	RELAY_OPT(struct conf, step, int64_t, "step", RELAY_INT, "1", 1, 1000,
		"how much each tick counts"),
	RELAY_OPT(struct conf, word, const char *, "word", RELAY_STRING, "tick",
		0, 0, "what the route answers"),
	RELAY_OPT(struct conf, password, const char *, "password", RELAY_STRING,
		"", 0, 0, "is never shown", .flags = RELAY_OPTION_SECRET),
	RELAY_OPT(struct conf, room, int64_t, "room", RELAY_SIZE, "1KiB", 0, 0,
		"cannot change while the server runs",
		.flags = RELAY_OPTION_RESTART),
	RELAY_OPT_END,
};

static const char *const threads[] = {"control", "worker", NULL};
static const int64_t bounds[] = {1, 10, 100, 0};

static const struct relay_metric_def ticks = {.name = "ticks",
	.unit = "",
	.help = "Ticks of the timers.",
	.kind = RELAY_COUNTER,
	.label = "thread",
	.values = threads};
static const struct relay_metric_def delays = {.name = "delays",
	.unit = "",
	.help = "Numbers.",
	.kind = RELAY_HISTOGRAM,
	.bounds = bounds};

static int64_t read_step(struct relay_ctx *cx, unsigned value)
{
	const struct conf *conf = cx->conf;

	(void)value;
	return conf->step;
}

static const struct relay_metric_def step = {.name = "step",
	.unit = "",
	.help = "The option in force.",
	.kind = RELAY_GAUGE,
	.read = read_step};

static int64_t tick(struct relay_ctx *cx, void *arg)
{
	const struct conf *conf = cx->conf;
	const struct data *data = cx->data;

	(void)arg;
	relay_metric_inc(
		cx, data->ticks, cx->worker != RELAY_CONTROL, conf->step);
	relay_metric_observe(cx, data->delays, 0, 5);
	return 5;
}

static void route(struct relay_ctx *cx, struct relay_http *http)
{
	const struct conf *conf = cx->conf;

	evbuffer_add_printf(http->body, "%s\n", conf->word);
}

static int init(struct relay_ctx *cx, struct relay_err *err)
{
	static const int service = 4711;
	struct data *data = cx->data;

	data->ticks = relay_metric_add(cx, &ticks);
	data->delays = relay_metric_add(cx, &delays);
	if (!data->ticks || !data->delays || !relay_metric_add(cx, &step) ||
		relay_http_route(cx, "/counter", route) ||
		relay_service_publish(cx, "counter", 2, &service))
		return relay_fail(err, "something is still registered");
	return 0;
}

static int start(struct relay_ctx *cx, struct relay_err *err)
{
	return relay_timer_add(cx, 0, tick, NULL) ? 0
						  : relay_fail(err, "no timer");
}

static void reload(struct relay_ctx *cx)
{
	const struct conf *conf = cx->conf;

	relay_log(cx, RELAY_NOTICE, "reload: %s", conf->word);
}

RELAY_MODULE = {
	RELAY_MODULE_INFO("counter", "1.2", "one of everything"),
	.options = options,
	.flags = RELAY_CONFINED,
	.conf_size = sizeof(struct conf),
	.data_size = sizeof(struct data),
	.init = init,
	.start = start,
	.worker_start = start,
	.reload = reload,
};
