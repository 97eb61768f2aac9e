/* SPDX-License-Identifier: MPL-2.0 */

/* my-module - says at times what the relay does. */

#include <inttypes.h>

#include <strelaysrv/module.h>

struct conf {
	int64_t interval;
};

/* One for all threads; only the control thread touches it here. */
struct state {
	struct relay_metric *rounds;
};

static const struct relay_option options[] = {
	RELAY_OPT(struct conf, interval, int64_t, "interval", RELAY_DURATION,
		"1m", 1000, 0, "time between two rounds"),
	RELAY_OPT_END};

static const struct relay_metric_def rounds = {
	.name = "rounds",
	.kind = RELAY_COUNTER,
	.help = "Rounds that were made.",
};

/* Returns when it wants to be called again; -1: failed, so later than usual. */
static int64_t make_round(struct relay_ctx *cx, void *arg)
{
	const struct conf *conf = cx->conf;
	const struct state *state = cx->data;

	(void)arg;
	relay_metric_inc(cx, state->rounds, 0, 1);
	relay_log(cx, RELAY_INFO, "%" PRId64 " sessions, %" PRId64 " devices",
		relay_metric_value(cx, "core", "sessions", NULL),
		relay_metric_value(cx, "relay", "devices", NULL));
	return conf->interval;
}

/* Metrics, routes, services: what others see. */
static int init(struct relay_ctx *cx, struct relay_err *err)
{
	struct state *state = cx->data;

	state->rounds = relay_metric_add(cx, &rounds);
	return state->rounds ? 0 : relay_fail(err, "no metric");
}

/* Files, sockets, timers: what it works with. */
static int start(struct relay_ctx *cx, struct relay_err *err)
{
	return relay_timer_add(cx, 1, make_round, NULL)
		       ? 0
		       : relay_fail(err, "out of memory");
}

RELAY_MODULE = {
	RELAY_MODULE_INFO("my-module", "0.1", "says what the relay does"),
	.options = options,
	.conf_size = sizeof(struct conf),
	.data_size = sizeof(struct state),
	.init = init,
	.start = start,
};
