/* SPDX-License-Identifier: MPL-2.0 */

/* status - /status for pools and dashboards, /healthz for supervisors. */

#include <event2/buffer.h>

#include <strelaysrv/module.h>

#include "answer.h"
#include "print.h"
#include "rates.h"

struct state {
	struct rates rates;
	int64_t next_ms; /* when the next sample is due */
};

static int64_t traffic(struct relay_ctx *cx)
{
	return relay_metric_value(cx, "core", "session_traffic", NULL);
}

/* Uses fixed times, so that delays do not accumulate. */
static int64_t sample(struct relay_ctx *cx, void *arg)
{
	struct state *state = arg;
	int64_t now_ms = relay_uptime_ms();

	/*
	 * The timer may fire a millisecond early; the next delay must not be 1
	 * ms.
	 */
	if (now_ms >= state->next_ms)
		rates_sample(&state->rates, now_ms, traffic(cx));
	while (state->next_ms <= now_ms)
		state->next_ms += RATES_INTERVAL_MS;
	return state->next_ms - now_ms;
}

static void answer_status(struct relay_ctx *cx, struct relay_http *http)
{
	const struct state *state = cx->data;
	cJSON *answer = answer_make(cx, &state->rates);

	http->type = "application/json";
	if (!answer || print_json(answer, http->body) ||
		relay_http_header(http, "Access-Control-Allow-Origin", "*")) {
		(void)evbuffer_drain(
			http->body, evbuffer_get_length(http->body));
		http->status = 500;
	}
	cJSON_Delete(answer);
}

/* Why new devices are refused; NULL if they are not. */
static const char *trouble(void)
{
	const char *closed = relay_closed();

	return !closed && relay_at_limit() ? "over limits" : closed;
}

/* For load balancers and supervisors, which only check the status code. */
static void answer_health(struct relay_ctx *cx, struct relay_http *http)
{
	const char *why = trouble();
	char hanging[400];

	(void)cx;
	if (relay_hanging(hanging, sizeof(hanging)) > 0)
		why = hanging;
	http->status = why ? 503 : 200;
	/* A cached answer would be useless. */
	if (relay_http_header(http, "Cache-Control", "no-store") ||
		evbuffer_add_printf(http->body, "%s\n", why ? why : "ok") < 0)
		http->status = 500;
}

static int init(struct relay_ctx *cx, struct relay_err *err)
{
	if (relay_http_route(cx, "/healthz", answer_health))
		return relay_fail(err, "the route /healthz is taken");
	if (relay_http_route(cx, "/status", answer_status))
		return relay_fail(err, "the route /status is taken");
	return 0;
}

static int start(struct relay_ctx *cx, struct relay_err *err)
{
	struct state *state = cx->data;
	int64_t now_ms = relay_uptime_ms();

	rates_init(&state->rates, now_ms, traffic(cx));
	state->next_ms = now_ms + RATES_INTERVAL_MS;
	if (!relay_timer_add(cx, RATES_INTERVAL_MS, sample, state))
		return relay_fail(err, "no memory for a timer");
	return 0;
}

RELAY_MODULE = {
	RELAY_MODULE_INFO("status", "1.0",
		"serves /status, in the form that the pool reads, and "
		"/healthz"),
	.flags = RELAY_CONFINED,
	.data_size = sizeof(struct state),
	.init = init,
	.start = start,
};
