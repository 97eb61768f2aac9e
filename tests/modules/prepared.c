/* SPDX-License-Identifier: MPL-2.0 */

/*
 * prepared: has reload_prepare, reload_commit and reload_abandon, and logs each
 * call.  It is built several times, with different values of NAME; with OLD, as
 * an older API without these calls.
 */

#include <inttypes.h>
#include <time.h>

#include <strelaysrv/module.h>

struct conf {
	const char *word;
	const char *fail; /* reload_prepare fails with this text */
	const char *adds; /* what reload_prepare tries to register */
	int64_t slow_ms;  /* takes so long */
};

struct data {
	struct relay_metric *labelled;
};

static const struct relay_option options[] = {
	RELAY_OPT(struct conf, word, const char *, "word", RELAY_STRING, "one",
		0, 0, "a value that changes"),
	RELAY_OPT(struct conf, fail, const char *, "fail", RELAY_STRING, "", 0,
		0, "why it refuses"),
	RELAY_OPT(struct conf, adds, const char *, "adds", RELAY_STRING, "", 0,
		0, "timer, metric, route, service, sink, alpn"),
	RELAY_OPT(struct conf, slow_ms, int64_t, "slow", RELAY_DURATION, "0ms",
		0, 5000, "how long it takes"),
	RELAY_OPT_END,
};

static int64_t read_nothing(struct relay_ctx *cx, unsigned value)
{
	(void)cx;
	return value;
}

static const char *const first[] = {"one", NULL};
static const struct relay_metric_def labelled = {.name = "labelled",
	.help = "Its label is the option `word`.",
	.kind = RELAY_GAUGE,
	.label = "word",
	.values = first,
	.read = read_nothing};
static const struct relay_metric_def late = {
	.name = "late", .help = "Never to be seen.", .kind = RELAY_COUNTER};

static const char *word(const struct relay_ctx *cx)
{
	return ((const struct conf *)cx->conf)->word;
}

static int64_t tick(struct relay_ctx *cx, void *arg)
{
	(void)arg;
	relay_log(cx, RELAY_NOTICE, "timer %s", word(cx));
	return 0;
}

static void answer(struct relay_ctx *cx, struct relay_http *http)
{
	(void)cx;
	(void)http;
}

static void sink(struct relay_ctx *cx, const struct relay_log_record *record)
{
	(void)cx;
	(void)record;
}

static int add(struct relay_ctx *cx, const char *what)
{
	static const int service = 1;

	switch (what[0]) {
	case 't':
		return relay_timer_add(cx, 1, tick, NULL) ? 0 : -1;
	case 'm':
		return relay_metric_add(cx, &late) ? 0 : -1;
	case 'r':
		return relay_http_route(cx, "/late", answer);
	case 's':
		return what[1] == 'e'
			       ? relay_service_publish(cx, "late", 1, &service)
			       : relay_log_sink(cx, RELAY_ERROR, sink);
	case 'a':
		return relay_conn_alpn(cx, "late");
	default:
		return 0;
	}
}

static int reload_prepare(
	struct relay_ctx *cx, const void *values, struct relay_err *err)
{
	const struct conf *conf = values;
	const char *labels[] = {conf->word, NULL};
	struct data *data = cx->data;
	struct timespec slow = {.tv_sec = (time_t)(conf->slow_ms / 1000),
		.tv_nsec = (long)(conf->slow_ms % 1000) * 1000000};

	relay_log(cx, RELAY_NOTICE, "prepare %s to %s", word(cx), conf->word);
	(void)nanosleep(&slow, NULL);
	if (relay_metric_relabel(cx, data->labelled, labels) != 0)
		return relay_fail(err, "no label");
	if (add(cx, conf->adds) != 0)
		return relay_fail(err, "cannot add a %s", conf->adds);
	return conf->fail[0] ? relay_fail(err, "%s", conf->fail) : 0;
}

static void reload_commit(struct relay_ctx *cx)
{
	relay_log(cx, RELAY_NOTICE, "commit %s", word(cx));
}

static void reload_abandon(struct relay_ctx *cx)
{
	relay_log(cx, RELAY_NOTICE, "abandon %s", word(cx));
}

static void reload(struct relay_ctx *cx)
{
	relay_log(cx, RELAY_NOTICE, "reload %s", word(cx));
}

static void stop(struct relay_ctx *cx)
{
	relay_log(cx, RELAY_NOTICE, "stop %s", word(cx));
}

static int init(struct relay_ctx *cx, struct relay_err *err)
{
	struct data *data = cx->data;

	data->labelled = relay_metric_add(cx, &labelled);
	return data->labelled ? 0 : relay_fail(err, "no metric");
}

#ifdef OLD
/* The descriptor ends here, as in the older header.  The calls after it must
 * not happen. */
#define MINOR 1
#define SIZE  offsetof(struct relay_module_def, hooks.reload_prepare)
#else
#define MINOR RELAY_ABI_MINOR
#define SIZE  sizeof(struct relay_module_def)
#endif

RELAY_MODULE = {
	.magic = RELAY_ABI_MAGIC,
	.abi_major = RELAY_ABI_MAJOR,
	.abi_minor = MINOR,
	.size = SIZE,
	.name = NAME,
	.version = "1",
	.summary = "prepares its reloads",
	.options = options,
	.conf_size = sizeof(struct conf),
	.data_size = sizeof(struct data),
	.init = init,
	.reload = reload,
	.stop = stop,
	.hooks =
		{
			.reload_prepare = reload_prepare,
			.reload_commit = reload_commit,
			.reload_abandon = reload_abandon,
		},
};
