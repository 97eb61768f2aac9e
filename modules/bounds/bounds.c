/* SPDX-License-Identifier: MPL-2.0 */

/* bounds - limits for one source address or one device. */

#include <inttypes.h>
#include <stdatomic.h>

#include "bounds.h"

static const char *const words[] = {
	[BOUND_SOURCE] = "per-source",
	[BOUND_OPENING] = "opening",
	[BOUND_OPENING_SOURCE] = "opening-per-source",
	[BOUND_JOINS] = "joins-per-minute",
	[BOUND_ASKS] = "asks-per-minute",
	[BOUND_SESSIONS] = "sessions",
	[BOUND_DEVICE] = "sessions-per-device",
	[BOUND_FAILURES] = "failures-per-minute",
	[BOUNDS] = NULL,
};

#define MOST 100000000
/* One source may have 1 / SOURCE_SHARE of all connections. */
#define SOURCE_SHARE 8

static const struct relay_option options[] = {
	RELAY_OPT(struct conf, per_source, int64_t, "per-source", RELAY_INT,
		"1024", 0, MOST,
		"connections from one IPv4 address or IPv6 /64, but no more "
		"than an eighth of the connection limit; twice as many from a "
		"/56, four times from a /48; 0: any number"),
	RELAY_OPT(struct conf, opening, int64_t, "opening", RELAY_INT, "4096",
		0, MOST,
		"connections that have not joined nor begun a session; above "
		"it, one of the source with most is closed; 0: any number"),
	RELAY_OPT(struct conf, opening_per_source, int64_t,
		"opening-per-source", RELAY_INT, "256", 0, MOST,
		"of these, from one source; 0: any number"),
	RELAY_OPT(struct conf, joins_per_minute, int64_t, "joins-per-minute",
		RELAY_INT, "600", 0, MOST,
		"requests to join from one source; 0: any number"),
	RELAY_OPT(struct conf, asks_per_minute, int64_t, "asks-per-minute",
		RELAY_INT, "1200", 0, MOST,
		"requests for a device from one source; 0: any number"),
	RELAY_OPT(struct conf, failures_per_minute, int64_t,
		"failures-per-minute", RELAY_INT, "240", 0, MOST,
		"failed joins and requests (wrong token, absent device) from "
		"one source; 0: any number"),
	RELAY_OPT(struct conf, sessions, int64_t, "sessions", RELAY_INT, "0", 0,
		MOST, "sessions at the same time; 0: any number"),
	RELAY_OPT(struct conf, sessions_per_device, int64_t,
		"sessions-per-device", RELAY_INT, "256", 0, MOST,
		"of these, of one device; 0: any number"),
	RELAY_OPT(struct conf, exempt, const char *const *, "exempt",
		RELAY_LIST, "127.0.0.0/8,::1", 0, 0,
		"addresses and ranges without limits"),
	RELAY_OPT_END};

static int64_t read_sources(struct relay_ctx *cx, unsigned value)
{
	struct data *data = cx->data;

	(void)value;
	return ledger_accounts(&data->sources);
}

static int64_t read_forgotten(struct relay_ctx *cx, unsigned value)
{
	struct data *data = cx->data;

	(void)value;
	return (int64_t)ledger_forgotten(&data->sources);
}

static const struct relay_metric_def reached = {.name = "reached",
	.unit = "",
	.kind = RELAY_COUNTER,
	.label = "bound",
	.values = words,
	.help = "How often a limit refused or ended something, by limit."};
static const struct relay_metric_def sources = {.name = "sources",
	.unit = "",
	.kind = RELAY_GAUGE,
	.read = read_sources,
	.help = "Entries in the table of sources."};
static const struct relay_metric_def forgotten = {.name = "forgotten",
	.unit = "",
	.kind = RELAY_COUNTER,
	.read = read_forgotten,
	.help = "Entries of sources without a connection that were removed "
		"from the full table before their rates had recovered."};

static int read_exempt(
	struct ranges *out, const struct conf *conf, struct relay_err *err)
{
	struct relay_err why;

	if (ranges_read(out, conf->exempt, &why) == 0)
		return 0;
	return relay_fail(err, "exempt: %.230s", why.text);
}

static int check(const void *values, struct relay_err *err)
{
	struct ranges exempt;

	if (read_exempt(&exempt, values, err) != 0)
		return -1;
	ranges_free(&exempt);
	return 0;
}

/*
 * Where descriptors are few, the configured number would let one source take
 * all of them, and joined devices are not evicted.
 */
static void bound_sources(struct relay_ctx *cx)
{
	const struct conf *conf = cx->conf;
	struct data *data = cx->data;
	int64_t share =
		relay_metric_value(cx, "core", "connection_limit", NULL) /
		SOURCE_SHARE;
	int64_t most = conf->per_source;

	if (share < 1)
		share = 1;
	if (most > share) {
		most = share;
		relay_log(cx, RELAY_INFO,
			"per-source is %" PRId64
			": one in %d of the connection limit",
			most, SOURCE_SHARE);
	}
	atomic_store_explicit(&data->per_source, most, memory_order_relaxed);
}

static int start(struct relay_ctx *cx, struct relay_err *err)
{
	struct data *data = cx->data;

	bound_sources(cx);
	return read_exempt(&data->exempt, cx->conf, err);
}

static int reload_prepare(
	struct relay_ctx *cx, const void *conf, struct relay_err *err)
{
	struct data *data = cx->data;

	return read_exempt(&data->next_exempt, conf, err);
}

static void reload_commit(struct relay_ctx *cx)
{
	struct data *data = cx->data;
	struct ranges old;

	pthread_mutex_lock(&data->lock);
	old = data->exempt;
	data->exempt = data->next_exempt;
	pthread_mutex_unlock(&data->lock);
	ranges_free(&old);
	data->next_exempt = (struct ranges){0};
}

/* The connection limit may have changed as well. */
static void reload(struct relay_ctx *cx)
{
	bound_sources(cx);
}

static void reload_abandon(struct relay_ctx *cx)
{
	ranges_free(&((struct data *)cx->data)->next_exempt);
}

static int init(struct relay_ctx *cx, struct relay_err *err)
{
	struct data *data = cx->data;

	data->reached = relay_metric_add(cx, &reached);
	if (!data->reached || !relay_metric_add(cx, &sources) ||
		!relay_metric_add(cx, &forgotten))
		return relay_fail(err, "cannot register the metrics");
	if (ledger_init(&data->sources) != 0)
		return relay_fail(
			err, "no memory for a table of sources or devices");
	if (ledger_init(&data->devices) != 0) {
		ledger_finish(&data->sources);
		return relay_fail(
			err, "no memory for a table of sources or devices");
	}
	if (pthread_mutex_init(&data->lock, NULL) == 0)
		return 0;
	ledger_finish(&data->sources);
	ledger_finish(&data->devices);
	return relay_fail(err, "cannot make a mutex");
}

static void fini(struct relay_ctx *cx)
{
	struct data *data = cx->data;

	ledger_finish(&data->sources);
	ledger_finish(&data->devices);
	ranges_free(&data->exempt);
	pthread_mutex_destroy(&data->lock);
}

void bounds_tell(
	struct relay_ctx *cx, enum bound bound, const struct relay_conn *conn)
{
	struct data *data = cx->data;
	char from[RELAY_ADDR_TEXT] = "";

	relay_metric_inc(cx, data->reached, bound, 1);
	/* Addresses of peers are personal data. */
	if (conn && relay_log_wanted(RELAY_DEBUG))
		relay_conn_addr_text(conn, from);
	relay_log_seldom(cx, RELAY_WARNING, &data->kinds[bound],
		"the bound %s was reached%s%s", words[bound],
		from[0] ? ", by " : "", from);
}

enum relay_verdict bounds_refuse(struct relay_ctx *cx, enum bound bound,
	const struct relay_conn *conn, struct relay_denial *why)
{
	bounds_tell(cx, bound, conn);
	why->refusal = RELAY_REFUSE_FULL;
	why->word = words[bound];
	return RELAY_DENY;
}

RELAY_MODULE = {
	RELAY_MODULE_INFO(
		"bounds", "1.0", "limits for one source or one device"),
	.options = options,
	.flags = RELAY_CONFINED,
	.conf_size = sizeof(struct conf),
	.data_size = sizeof(struct data),
	.conn_size = sizeof(struct block),
	.session_size = sizeof(struct meeting),
	.check = check,
	.init = init,
	.start = start,
	.reload = reload,
	.fini = fini,
	.hooks =
		{
			.conn_accept = admission_accept,
			.conn_settled = admission_settled,
			.peer_try = admission_try,
			.peer_failed = admission_failed,
			.peer_connect = admission_connect,
			.peer_asked = admission_asked,
			.session_open = devices_open,
			.session_close = devices_close,
			.conn_close = admission_close,
			.reload_prepare = reload_prepare,
			.reload_commit = reload_commit,
			.reload_abandon = reload_abandon,
		},
};
