/* SPDX-License-Identifier: MPL-2.0 */

/*
 * endpoint - a list of relays at /endpoint, in the form that dynamic+https://
 * clients read.
 */

#include "endpoint/advise.h"
#include "endpoint/list.h"
#include "endpoint/others.h"
#include "endpoint/report.h"

static const struct relay_option options[] = {
	RELAY_OPT(struct conf, relays, const char *const *, "relays",
		RELAY_LIST, "", 0, OTHERS_MOST,
		"URIs of other relays to list, comma-separated"),
	RELAY_OPT(struct conf, interval_ms, int64_t, "check-interval",
		RELAY_DURATION, "1m", 1000, 3600000,
		"time between two checks of each of them"),
	RELAY_OPT(struct conf, timeout_ms, int64_t, "check-timeout",
		RELAY_DURATION, "10s", 100, 60000, "how long a check may take"),
	RELAY_OPT(struct conf, limits.remove_after, int64_t, "remove-after",
		RELAY_INT, "2", 1, 100,
		"failed checks in a row after which a relay is not listed"),
	RELAY_OPT(struct conf, limits.restore_after, int64_t, "restore-after",
		RELAY_INT, "2", 1, 100,
		"good checks in a row after which it is listed again"),
	RELAY_OPT_END};

static int check(const void *values, struct relay_err *err)
{
	const struct conf *conf = values;
	struct other_uri uri;
	struct relay_err why;

	for (size_t i = 0; conf->relays[i]; i++)
		if (other_uri_parse(conf->relays[i], &uri, &why) != 0)
			return relay_fail(err, "relays: %s", why.text);
	return 0;
}

static int64_t work(struct relay_ctx *cx, void *arg)
{
	int64_t next_ms = others_work(cx);

	(void)arg;
	list_tell(cx);
	return next_ms;
}

static int init(struct relay_ctx *cx, struct relay_err *err)
{
	if (report_init(cx, err) != 0)
		return -1;
	if (relay_http_route(cx, "/endpoint", list_answer))
		return relay_fail(err, "the route /endpoint is taken");
	return 0;
}

static int start(struct relay_ctx *cx, struct relay_err *err)
{
	if (others_prepare(cx, cx->conf, err) != 0) {
		others_finish(cx);
		return -1;
	}
	others_commit(cx);
	if (relay_timer_add(cx, 1, work, NULL))
		return 0;
	others_finish(cx); /* stop does not run if start fails */
	return relay_fail(err, "no memory for a timer");
}

static void advise(struct relay_ctx *cx)
{
	advise_list(cx, conf_of(cx));
}

static void stop(struct relay_ctx *cx)
{
	others_finish(cx);
	list_free(&state_of(cx)->list);
}

RELAY_MODULE = {
	RELAY_MODULE_INFO("endpoint", "1.0",
		"serves a list of relays at /endpoint, for dynamic+https://"),
	.options = options,
	.flags = RELAY_CONFINED,
	.conf_size = sizeof(struct conf),
	.data_size = sizeof(struct state),
	.check = check,
	.init = init,
	.start = start,
	.ready = advise,
	.reload = advise,
	.stop = stop,
	.hooks = {.reload_prepare = others_prepare,
		.reload_commit = others_commit,
		.reload_abandon = others_abandon,
		.advise = advise_all},
};
