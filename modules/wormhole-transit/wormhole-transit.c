/* SPDX-License-Identifier: MPL-2.0 */

/* wormhole-transit - the transit relay of Magic Wormhole. */

#include <string.h>

#include "shared/exempt.h"
#include "shared/module_order.h"
#include "wormhole-transit/client.h"
#include "wormhole-transit/data.h"
#include "wormhole-transit/drain.h"
#include "wormhole-transit/metrics_table.h"

#define MOST 10000000

static const struct relay_option options[] = {
	RELAY_OPT(struct conf, share_listeners, bool, "share-listeners",
		RELAY_BOOL, "no", 0, 0,
		"take clients from listeners without a protocol, too, by their "
		"first byte; then modules must name this module before relay"),
	RELAY_OPT(struct conf, line_timeout_ms, int64_t, "line-timeout",
		RELAY_DURATION, "10s", 100, 0,
		"how long a client may take to send its line"),
	RELAY_OPT(struct conf, wait_timeout_ms, int64_t, "wait-timeout",
		RELAY_DURATION, "5m", 100, 0,
		"how long it may wait for another one with the same token"),
	RELAY_OPT(struct conf, idle_timeout_ms, int64_t, "idle-timeout",
		RELAY_DURATION, "1h", 100, 0,
		"how long a session may be silent before it is closed"),
	RELAY_OPT(struct conf, limits.all, int64_t, "waiting", RELAY_INT,
		"4096", 1, MOST,
		"clients that may wait; beyond that the one that has waited "
		"longest is closed"),
	RELAY_OPT(struct conf, limits.per_source, int64_t, "waiting-per-source",
		RELAY_INT, "64", 1, MOST,
		"of these, from one IPv4 address or IPv6 /64; twice as many "
		"from a /56, four times from a /48"),
	RELAY_OPT(struct conf, limits.per_token, int64_t, "waiting-per-token",
		RELAY_INT, "16", 1, WAITING_PER_TOKEN_MOST,
		"of these, with the same token"),
	RELAY_OPT_END};

static int init(struct relay_ctx *cx, struct relay_err *err)
{
	struct data *data = cx->data;

	if (relay_metrics_add(cx, metrics_table, METRICS, data->metrics, err) !=
		0)
		return -1;
	if (waiting_init(&data->waiting) != 0)
		return relay_fail(err, "no memory for the table of clients");
	if (pthread_mutex_init(&data->lock, NULL) == 0)
		return 0;
	waiting_finish(&data->waiting);
	return relay_fail(err, "cannot make a mutex");
}

static int start(struct relay_ctx *cx, struct relay_err *err)
{
	return exempt_read(cx, &data_of(cx)->exempt, err);
}

static void look_at(const struct relay_listener *listener, void *arg)
{
	bool *served = arg;

	*served |= strcmp(listener->protocol, PROTOCOL) == 0;
}

static void advise(struct relay_ctx *cx, const void *values)
{
	const struct conf *conf = values;
	bool served = conf->share_listeners;

	relay_listeners_visit(cx, look_at, &served);
	if (!served)
		relay_log(cx, RELAY_WARNING,
			"no listener has protocol = " PROTOCOL
			", and share-listeners is off: nobody is served");
	if (conf->share_listeners)
		module_order_advise(cx, PROTOCOL, "relay",
			"relay takes every client of the listeners that "
			"share-listeners is about");
}

static void ready(struct relay_ctx *cx)
{
	advise(cx, cx->conf);
}

static int reload_prepare(
	struct relay_ctx *cx, const void *conf, struct relay_err *err)
{
	(void)conf;
	return exempt_read(cx, &data_of(cx)->next_exempt, err);
}

static void reload_commit(struct relay_ctx *cx)
{
	struct data *data = data_of(cx);
	struct ranges old;

	pthread_mutex_lock(&data->lock);
	old = data->exempt;
	data->exempt = data->next_exempt;
	pthread_mutex_unlock(&data->lock);
	ranges_free(&old);
	data->next_exempt = (struct ranges){0};
}

static void reload_abandon(struct relay_ctx *cx)
{
	ranges_free(&data_of(cx)->next_exempt);
}

static void fini(struct relay_ctx *cx)
{
	struct data *data = cx->data;

	waiting_finish(&data->waiting);
	ranges_free(&data->exempt);
	pthread_mutex_destroy(&data->lock);
}

static void session_reload(struct relay_ctx *cx, struct relay_session *session)
{
	const struct meeting *meeting = relay_session_data(cx, session);

	if (meeting && meeting->ours)
		relay_session_idle(session, conf_of(cx)->idle_timeout_ms);
}

RELAY_MODULE = {
	RELAY_MODULE_INFO(
		PROTOCOL, "1.0", "the transit relay of Magic Wormhole"),
	.options = options,
	.flags = RELAY_CONFINED,
	.conf_size = sizeof(struct conf),
	.data_size = sizeof(struct data),
	.worker_size = sizeof(struct local),
	.conn_size = sizeof(struct client),
	.session_size = sizeof(struct meeting),
	.init = init,
	.start = start,
	.ready = ready,
	.reload = ready,
	.fini = fini,
	.hooks =
		{
			.conn_open = client_open,
			.conn_readable = client_readable,
			.conn_deadline = client_deadline,
			.conn_close = client_close,
			.session_reload = session_reload,
			.drain = drain_notice,
			.reload_prepare = reload_prepare,
			.reload_commit = reload_commit,
			.reload_abandon = reload_abandon,
			.advise = advise,
		},
};
