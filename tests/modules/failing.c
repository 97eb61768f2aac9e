/* SPDX-License-Identifier: MPL-2.0 */

/* failing: fails in the stage that its option names, after it has registered
 * everything. */

#include <stdio.h>

#include <strelaysrv/module.h>

struct conf {
	int64_t at;
	bool silently;
};

enum { NEVER, CHECK, INIT, START, WORKER_START };
static const char *const stages[] = {
	"never", "check", "init", "start", "worker-start", NULL};

static const struct relay_option options[] = {
	RELAY_OPT(struct conf, at, int64_t, "at", RELAY_CHOICE, "never", 0, 0,
		"the stage that fails", .choices = stages),
	RELAY_OPT(struct conf, silently, bool, "silently", RELAY_BOOL, "no", 0,
		0, "fail without giving a reason"),
	RELAY_OPT_END,
};

static int fail_at(
	const struct conf *conf, int64_t stage, struct relay_err *err)
{
	if (conf->at != stage)
		return 0;
	return conf->silently ? -1
			      : relay_fail(err, "fails at %s", stages[stage]);
}

static int64_t tick(struct relay_ctx *cx, void *arg)
{
	(void)arg;
	relay_log(cx, RELAY_NOTICE, "its timer runs");
	return 10;
}

static void route(struct relay_ctx *cx, struct relay_http *http)
{
	(void)http;
	relay_log(cx, RELAY_NOTICE, "its route is asked");
}

static void sink(struct relay_ctx *cx, const struct relay_log_record *record)
{
	char line[4096];

	(void)cx;
	relay_log_text(record, line, sizeof(line));
	fprintf(stderr, "%s\n", line);
}

static int check(const void *conf, struct relay_err *err)
{
	return fail_at(conf, CHECK, err);
}

static int init(struct relay_ctx *cx, struct relay_err *err)
{
	static const struct relay_metric_def metric = {
		.name = "things", .unit = "", .help = "Counts nothing."};
	static const int service = 1;

	if (!relay_metric_add(cx, &metric) ||
		relay_http_route(cx, "/failing", route) ||
		relay_service_publish(cx, "failing", 1, &service) ||
		relay_log_sink(cx, RELAY_DEBUG, sink) ||
		!relay_timer_add(cx, 0, tick, NULL))
		return relay_fail(err, "something is still registered");
	relay_log(cx, RELAY_NOTICE, "init");
	return fail_at(cx->conf, INIT, err);
}

static int start(struct relay_ctx *cx, struct relay_err *err)
{
	relay_log(cx, RELAY_NOTICE, "start");
	return fail_at(cx->conf, START, err);
}

/* Only the last worker fails, so that the others must be undone. */
static int worker_start(struct relay_ctx *cx, struct relay_err *err)
{
	if (!relay_timer_add(cx, 300, tick, NULL))
		return relay_fail(err, "no timer");
	if (cx->worker < relay_worker_count() - 1)
		return 0;
	return fail_at(cx->conf, WORKER_START, err);
}

static void worker_stop(struct relay_ctx *cx)
{
	relay_log(cx, RELAY_NOTICE, "worker_stop %d", cx->worker);
}

static void stop(struct relay_ctx *cx)
{
	relay_log(cx, RELAY_NOTICE, "stop");
}

static void fini(struct relay_ctx *cx)
{
	relay_log(cx, RELAY_NOTICE, "fini");
}

RELAY_MODULE = {
	RELAY_MODULE_INFO("failing", "1", "fails where it is told to"),
	.options = options,
	.flags = RELAY_CONFINED,
	.conf_size = sizeof(struct conf),
	.data_size = 100,
	.worker_size = 100,
	.check = check,
	.init = init,
	.start = start,
	.stop = stop,
	.fini = fini,
	.worker_start = worker_start,
	.worker_stop = worker_stop,
};
