/* SPDX-License-Identifier: MPL-2.0 */

/* bounds - what one source or one device may take from all others. */

#include <pthread.h>
#include <string.h>

#include <strelaysrv/module.h>

#include "access/ranges.h"
#include "ledger.h"

struct conf {
	int64_t per_source;
	int64_t opening;
	int64_t opening_per_source;
	int64_t joins_per_minute;
	int64_t asks_per_minute;
	int64_t sessions;
	int64_t sessions_per_device;
	const char *const *exempt;
};

/* Which bound was reached. */
enum bound {
	BOUND_SOURCE,
	BOUND_OPENING,
	BOUND_OPENING_SOURCE,
	BOUND_JOINS,
	BOUND_ASKS,
	BOUND_SESSIONS,
	BOUND_DEVICE,
	BOUNDS
};

static const char *const words[] = {
	[BOUND_SOURCE] = "per-source",
	[BOUND_OPENING] = "opening",
	[BOUND_OPENING_SOURCE] = "opening-per-source",
	[BOUND_JOINS] = "joins-per-minute",
	[BOUND_ASKS] = "asks-per-minute",
	[BOUND_SESSIONS] = "sessions",
	[BOUND_DEVICE] = "sessions-per-device",
	[BOUNDS] = NULL,
};

/* Of a source's account; a device's has one count, its sessions. */
enum { COUNT_ALL, COUNT_OPENING };
enum { RATE_JOINS, RATE_ASKS };
enum { COUNT_SESSIONS };

/* One for all threads. */
struct data {
	struct ledger sources, devices;
	pthread_mutex_t lock; /* of what follows */
	struct ranges exempt;
	_Atomic int64_t sessions;
	struct relay_log_kind kinds[BOUNDS];
	struct relay_metric *reached;
};

/* Of each connection. */
struct block {
	struct block *next, *prev; /* in the line of those that open */
	struct relay_conn *conn;   /* NULL: is not in it, nor counts as such */
	struct account *source;    /* NULL: exempt */
};

/* Of each worker: who opens, the oldest first. */
struct local {
	struct block *first, *last;
	int64_t count;
};

/* Of each session. */
struct meeting {
	bool counted;
	struct account *device[2];
};

#define MOST 100000000

static const struct relay_option options[] = {
	RELAY_OPT(struct conf, per_source, int64_t, "per-source", RELAY_INT,
		"1024", 0, MOST,
		"connections from one IPv4 address or IPv6 /64; 0: any number"),
	RELAY_OPT(struct conf, opening, int64_t, "opening", RELAY_INT, "4096",
		0, MOST,
		"connections that have not said yet what they want; above it "
		"the oldest makes room; 0: any number"),
	RELAY_OPT(struct conf, opening_per_source, int64_t,
		"opening-per-source", RELAY_INT, "256", 0, MOST,
		"of these, from one source; 0: any number"),
	RELAY_OPT(struct conf, joins_per_minute, int64_t, "joins-per-minute",
		RELAY_INT, "600", 0, MOST,
		"requests to join from one source; 0: any number"),
	RELAY_OPT(struct conf, asks_per_minute, int64_t, "asks-per-minute",
		RELAY_INT, "1200", 0, MOST,
		"requests for a device from one source; 0: any number"),
	RELAY_OPT(struct conf, sessions, int64_t, "sessions", RELAY_INT, "0", 0,
		MOST, "sessions at the same time; 0: any number"),
	RELAY_OPT(struct conf, sessions_per_device, int64_t,
		"sessions-per-device", RELAY_INT, "256", 0, MOST,
		"of these, of one device; 0: any number"),
	RELAY_OPT(struct conf, exempt, const char *const *, "exempt",
		RELAY_LIST, "127.0.0.0/8,::1", 0, 0,
		"addresses and ranges that are no source to be bounded"),
	RELAY_OPT_END};

static int64_t read_sources(struct relay_ctx *cx, unsigned value)
{
	struct data *data = cx->data;

	(void)value;
	return ledger_accounts(&data->sources);
}

static const struct relay_metric_def reached = {.name = "reached",
	.unit = "",
	.kind = RELAY_COUNTER,
	.label = "bound",
	.values = words,
	.help = "Times that something was refused or ended, by the bound "
		"that was reached."};
static const struct relay_metric_def sources = {.name = "sources",
	.unit = "",
	.kind = RELAY_GAUGE,
	.read = read_sources,
	.help = "Sources that are being watched."};

static int read_exempt(
	struct ranges *out, const struct conf *conf, struct relay_err *err)
{
	struct relay_err why;
	struct range range;

	*out = (struct ranges){0};
	for (size_t i = 0; conf->exempt[i]; i++) {
		if (range_read(conf->exempt[i], &range, &why) != 0) {
			relay_fail(err, "exempt: %.230s", why.text);
			goto error;
		}
		if (ranges_add(out, &range) != 0) {
			relay_fail(err, "out of memory");
			goto error;
		}
	}
	ranges_settle(out);
	return 0;

error:
	ranges_free(out);
	return -1;
}

static int check(const void *values, struct relay_err *err)
{
	struct ranges exempt;

	if (read_exempt(&exempt, values, err) != 0)
		return -1;
	ranges_free(&exempt);
	return 0;
}

static int load(struct relay_ctx *cx, struct relay_err *err)
{
	struct data *data = cx->data;
	struct ranges next, old;

	if (read_exempt(&next, cx->conf, err) != 0)
		return -1;
	pthread_mutex_lock(&data->lock);
	old = data->exempt;
	data->exempt = next;
	pthread_mutex_unlock(&data->lock);
	ranges_free(&old);
	return 0;
}

static int init(struct relay_ctx *cx, struct relay_err *err)
{
	struct data *data = cx->data;

	data->reached = relay_metric_add(cx, &reached);
	if (!data->reached || !relay_metric_add(cx, &sources))
		return relay_fail(err, "cannot register the metrics");
	if (ledger_init(&data->sources) != 0)
		return relay_fail(err, "cannot make a table");
	if (ledger_init(&data->devices) != 0) {
		ledger_finish(&data->sources);
		return relay_fail(err, "cannot make a table");
	}
	if (pthread_mutex_init(&data->lock, NULL) == 0)
		return 0;
	ledger_finish(&data->sources);
	ledger_finish(&data->devices);
	return relay_fail(err, "cannot make a mutex");
}

static void reload(struct relay_ctx *cx)
{
	struct relay_err err;

	if (load(cx, &err) != 0)
		relay_log(cx, RELAY_ERROR, "goes on as before: %s", err.text);
}

/* Whoever takes a connection ends the asking: behind it we would never hear of
 * plain ones that they have opened. */
static void ready(struct relay_ctx *cx)
{
	struct relay_value modules;
	bool behind = false;

	if (relay_option_get(cx, NULL, "modules", &modules) != 0)
		return;
	for (size_t i = 0; modules.list[i]; i++) {
		behind |= strcmp(modules.list[i], "relay") == 0;
		if (behind && strcmp(modules.list[i], "bounds") == 0)
			relay_log(cx, RELAY_WARNING,
				"name bounds before relay in modules: behind "
				"it, sessions count as connections that have "
				"not said what they want");
	}
}

static void fini(struct relay_ctx *cx)
{
	struct data *data = cx->data;

	ledger_finish(&data->sources);
	ledger_finish(&data->devices);
	ranges_free(&data->exempt);
	pthread_mutex_destroy(&data->lock);
}

static void tell(struct relay_ctx *cx, enum bound bound)
{
	struct data *data = cx->data;

	relay_metric_inc(cx, data->reached, bound, 1);
	relay_log_seldom(cx, RELAY_WARNING, &data->kinds[bound],
		"the bound %s was reached", words[bound]);
}

static enum relay_verdict refuse(
	struct relay_ctx *cx, enum bound bound, struct relay_denial *why)
{
	tell(cx, bound);
	why->refusal = RELAY_REFUSE_FULL;
	why->word = words[bound];
	return RELAY_DENY;
}

/* Connections. */

static void line_up(
	struct relay_ctx *cx, struct block *block, struct relay_conn *conn)
{
	struct local *local = cx->local;

	block->conn = conn;
	block->next = NULL;
	block->prev = local->last;
	if (local->last)
		local->last->next = block;
	else
		local->first = block;
	local->last = block;
	local->count++;
}

static void step_out(struct relay_ctx *cx, struct block *block)
{
	struct data *data = cx->data;
	struct local *local = cx->local;

	if (!block || !block->conn)
		return;
	block->conn = NULL;
	if (block->next)
		block->next->prev = block->prev;
	else
		local->last = block->prev;
	if (block->prev)
		block->prev->next = block->next;
	else
		local->first = block->next;
	local->count--;
	ledger_give(
		&data->sources, block->source, COUNT_OPENING, relay_now_ms(cx));
}

/* 32 bits of an IPv4 address, 64 of an IPv6 one.  False: it is exempt. */
static bool source_key(struct data *data, const struct relay_conn *conn,
	uint8_t key[LEDGER_KEY])
{
	struct sockaddr_storage from;
	bool exempt;

	memset(key, 0, LEDGER_KEY);
	relay_conn_sockaddr(conn, &from);
	range_address(&from, key);
	pthread_mutex_lock(&data->lock);
	exempt = ranges_have(&data->exempt, key);
	pthread_mutex_unlock(&data->lock);
	if (from.ss_family == AF_INET6)
		memset(key + 8, 0, LEDGER_KEY - 8);
	return !exempt;
}

/*
 * A flood of silent connections from everywhere must not keep those out that
 * have something to say: these are soon through, so the oldest are of no use.
 */
static void make_room(struct relay_ctx *cx)
{
	const struct conf *conf = cx->conf;
	const struct local *local = cx->local;
	int64_t most = conf->opening / relay_worker_count();

	if (!conf->opening || local->count < (most ? most : 1))
		return;
	tell(cx, BOUND_OPENING);
	relay_conn_close(local->first->conn, RELAY_END_LIMIT);
}

static enum relay_verdict conn_accept(
	struct relay_ctx *cx, struct relay_conn *conn, struct relay_denial *why)
{
	struct data *data = cx->data;
	const struct conf *conf = cx->conf;
	struct block *block = relay_conn_data(cx, conn);
	uint8_t key[LEDGER_KEY];

	if (source_key(data, conn, key)) {
		block->source = ledger_take(&data->sources, key, COUNT_ALL,
			conf->per_source, relay_now_ms(cx));
		if (!block->source)
			return refuse(cx, BOUND_SOURCE, why);
		if (!ledger_take_more(&data->sources, block->source,
			    COUNT_OPENING, conf->opening_per_source))
			return refuse(cx, BOUND_OPENING_SOURCE, why);
	}
	make_room(cx);
	line_up(cx, block, conn);
	return RELAY_PASS;
}

/* A plain connection has said what it wants; TLS ones have yet to ask. */
static enum relay_verdict conn_open(
	struct relay_ctx *cx, struct relay_conn *conn, struct relay_denial *why)
{
	(void)why;
	if (!relay_conn_is_tls(conn))
		step_out(cx, relay_conn_data(cx, conn));
	return RELAY_PASS;
}

static enum relay_verdict spend(struct relay_ctx *cx, struct relay_conn *conn,
	unsigned rate, int64_t per_minute, enum bound bound,
	struct relay_denial *why)
{
	struct data *data = cx->data;
	struct block *block = relay_conn_data(cx, conn);

	step_out(cx, block);
	if (!block || !block->source ||
		ledger_spend(&data->sources, block->source, rate, per_minute,
			relay_now_ms(cx)))
		return RELAY_PASS;
	return refuse(cx, bound, why);
}

static enum relay_verdict peer_join(struct relay_ctx *cx,
	struct relay_conn *conn, const char *token, struct relay_denial *why)
{
	const struct conf *conf = cx->conf;

	(void)token;
	return spend(
		cx, conn, RATE_JOINS, conf->joins_per_minute, BOUND_JOINS, why);
}

static bool device_full(struct relay_ctx *cx, const uint8_t *id, int64_t most)
{
	struct data *data = cx->data;

	return id && most &&
	       ledger_taken(&data->devices, id, COUNT_SESSIONS) >= most;
}

/* Better no invitation than a session that is refused later. */
static enum relay_verdict peer_connect(struct relay_ctx *cx,
	struct relay_conn *conn, const uint8_t *target,
	struct relay_denial *why)
{
	const struct conf *conf = cx->conf;
	struct data *data = cx->data;

	if (spend(cx, conn, RATE_ASKS, conf->asks_per_minute, BOUND_ASKS,
		    why) != RELAY_PASS)
		return RELAY_DENY;
	if (conf->sessions && data->sessions >= conf->sessions)
		return refuse(cx, BOUND_SESSIONS, why);
	if (device_full(cx, relay_conn_peer(conn), conf->sessions_per_device) ||
		device_full(cx, target, conf->sessions_per_device))
		return refuse(cx, BOUND_DEVICE, why);
	return RELAY_PASS;
}

static void conn_close(
	struct relay_ctx *cx, struct relay_conn *conn, enum relay_reason reason)
{
	struct data *data = cx->data;
	struct block *block = relay_conn_data(cx, conn);

	(void)reason;
	if (!block)
		return;
	step_out(cx, block);
	ledger_give(&data->sources, block->source, COUNT_ALL, relay_now_ms(cx));
	block->source = NULL;
}

/* Sessions. */

static enum relay_verdict session_open(struct relay_ctx *cx,
	struct relay_session *session, struct relay_denial *why)
{
	struct data *data = cx->data;
	const struct conf *conf = cx->conf;
	struct meeting *meeting = relay_session_data(cx, session);

	meeting->counted = true;
	if (++data->sessions > conf->sessions && conf->sessions)
		return refuse(cx, BOUND_SESSIONS, why);
	for (int side = 0; side < 2; side++) {
		const uint8_t *id =
			relay_conn_peer(relay_session_side(session, side));

		if (!id)
			continue;
		meeting->device[side] =
			ledger_take(&data->devices, id, COUNT_SESSIONS,
				conf->sessions_per_device, relay_now_ms(cx));
		if (!meeting->device[side])
			return refuse(cx, BOUND_DEVICE, why);
	}
	return RELAY_PASS;
}

static void session_close(struct relay_ctx *cx, struct relay_session *session,
	enum relay_reason reason)
{
	struct data *data = cx->data;
	struct meeting *meeting = relay_session_data(cx, session);

	(void)reason;
	if (!meeting || !meeting->counted)
		return;
	data->sessions--;
	for (int side = 0; side < 2; side++)
		ledger_give(&data->devices, meeting->device[side],
			COUNT_SESSIONS, relay_now_ms(cx));
}

RELAY_MODULE = {
	RELAY_MODULE_INFO("bounds", "1.0",
		"what one source or one device may take from all others"),
	.options = options,
	.conf_size = sizeof(struct conf),
	.data_size = sizeof(struct data),
	.worker_size = sizeof(struct local),
	.conn_size = sizeof(struct block),
	.session_size = sizeof(struct meeting),
	.check = check,
	.init = init,
	.start = load,
	.ready = ready,
	.reload = reload,
	.fini = fini,
	.hooks =
		{
			.conn_accept = conn_accept,
			.conn_open = conn_open,
			.peer_join = peer_join,
			.peer_connect = peer_connect,
			.session_open = session_open,
			.session_close = session_close,
			.conn_close = conn_close,
		},
};
