/* SPDX-License-Identifier: MPL-2.0 */

/* dashboard - a live web page at / of the status address. */

#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>

#include <strelaysrv/module.h>

#include "answer.h"
#include "history.h"
#include "page.h"

struct state {
	struct history history;
	int64_t next_ms; /* end of the current step */
};

/* The page loads nothing from other servers and must not be framed. */
static const char policy[] =
	"default-src 'none'; style-src 'unsafe-inline'; "
	"script-src 'unsafe-inline'; connect-src 'self'; img-src data:; "
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

static int64_t traffic(struct relay_ctx *cx)
{
	return relay_metric_value(cx, "core", "session_traffic", NULL);
}

/* Uses fixed times, so that delays do not accumulate. */
static int64_t step(struct relay_ctx *cx, void *arg)
{
	struct state *state = arg;
	int64_t now_ms = relay_uptime_ms();

	/*
	 * The timer may fire a millisecond early; the next step must not be 1
	 * ms.
	 */
	if (now_ms >= state->next_ms)
		history_add(&state->history, now_ms, traffic(cx));
	while (state->next_ms <= now_ms)
		state->next_ms += HISTORY_STEP_MS;
	return state->next_ms - now_ms;
}

static void fail(struct relay_http *http)
{
	(void)evbuffer_drain(http->body, evbuffer_get_length(http->body));
	http->status = 500;
}

static void answer_page(struct relay_ctx *cx, struct relay_http *http)
{
	(void)cx;
	http->type = "text/html; charset=utf-8";
	if (relay_http_header(http, "Content-Security-Policy", policy) ||
		relay_http_header(http, "Referrer-Policy", "no-referrer") ||
		relay_http_header(http, "Cache-Control", "no-cache") ||
		evbuffer_add_reference(http->body, page, page_len, NULL, NULL))
		fail(http);
}

/* "after=N": the last step that the page has. */
static int64_t asked_after(const char *query)
{
	const char *at = strstr(query, "after=");

	return at ? strtoll(at + 6, NULL, 10) : -1;
}

static void answer_data(struct relay_ctx *cx, struct relay_http *http)
{
	const struct state *state = cx->data;
	cJSON *answer =
		answer_make(cx, &state->history, asked_after(http->query));
	char *text = answer ? cJSON_PrintUnformatted(answer) : NULL;

	http->type = "application/json";
	if (!text || relay_http_header(http, "Cache-Control", "no-store") ||
		evbuffer_add(http->body, text, strlen(text)))
		fail(http);
	cJSON_free(text);
	cJSON_Delete(answer);
}

static int init(struct relay_ctx *cx, struct relay_err *err)
{
	if (relay_http_route_private(cx, "/", answer_page) ||
		relay_http_route_private(cx, "/dashboard.json", answer_data))
		return relay_fail(err, "the route / is taken");
	return 0;
}

static int start(struct relay_ctx *cx, struct relay_err *err)
{
	struct state *state = cx->data;
	int64_t now_ms = relay_uptime_ms();

	history_init(&state->history, now_ms, traffic(cx));
	state->next_ms = now_ms + HISTORY_STEP_MS;
	if (!relay_timer_add(cx, HISTORY_STEP_MS, step, state))
		return relay_fail(err, "no memory for a timer");
	return 0;
}

RELAY_MODULE = {
	RELAY_MODULE_INFO(
		"dashboard", "1.0", "a live status page for browsers at /"),
	.flags = RELAY_CONFINED,
	.data_size = sizeof(struct state),
	.init = init,
	.start = start,
};
