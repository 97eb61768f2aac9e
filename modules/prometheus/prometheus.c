/* SPDX-License-Identifier: MPL-2.0 */

/* prometheus - every metric at /metrics, as a Prometheus server scrapes it. */

#include <event2/buffer.h>

#include <strelaysrv/module.h>

#include "exposition.h"

static int add(const struct relay_sample *sample, void *arg)
{
	return exposition_add(arg, sample);
}

static void answer(struct relay_ctx *cx, struct relay_http *http)
{
	struct exposition e = {
		.form = exposition_choose(relay_http_asked(http, "Accept")),
		.out = http->body,
	};

	http->type = exposition_type(e.form);
	if (relay_metrics_visit(cx, add, &e) == 0 && exposition_end(&e) == 0)
		return;
	/* A partial page would look as if metrics had disappeared. */
	(void)evbuffer_drain(http->body, evbuffer_get_length(http->body));
	http->status = 500;
}

static int init(struct relay_ctx *cx, struct relay_err *err)
{
	if (relay_http_route_private(cx, "/metrics", answer))
		return relay_fail(err, "the route /metrics is taken");
	return 0;
}

RELAY_MODULE = {
	RELAY_MODULE_INFO("prometheus", "1.0",
		"serves metrics to Prometheus at /metrics"),
	.flags = RELAY_CONFINED,
	.init = init,
};
