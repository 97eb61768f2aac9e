/* SPDX-License-Identifier: MPL-2.0 */

/* Limits for connections and for the requests on them. */

#include <stdatomic.h>

#include "bounds.h"

/*
 * The limits of one source are multiplied by this at each level: IPv4 address
 * or IPv6 /64, /56, /48.
 */
static const int64_t times[SOURCE_LEVELS] = {1, TIMES_56, TIMES_48};

static bool is_exempt(struct data *data, const struct sockaddr_storage *from)
{
	uint8_t address[RANGE_BYTES];
	bool exempt;

	range_address(from, address);
	pthread_mutex_lock(&data->lock);
	exempt = ranges_have(&data->exempt, address);
	pthread_mutex_unlock(&data->lock);
	return exempt;
}

/* False if one of its levels is at its limit. */
static bool take(
	struct relay_ctx *cx, struct block *block, const struct source *source)
{
	struct data *data = cx->data;
	int64_t most =
		atomic_load_explicit(&data->per_source, memory_order_relaxed);

	for (unsigned i = 0; i < source->levels; i++) {
		block->source[i] = ledger_take(&data->sources, source->key[i],
			COUNT_ALL, most * times[i], relay_now_ms(cx));
		if (!block->source[i])
			return false;
	}
	return true;
}

static void give(
	struct relay_ctx *cx, const struct block *block, int levels, int count)
{
	struct data *data = cx->data;

	for (int i = 0; i < levels; i++)
		ledger_give(&data->sources, block->source[i], (unsigned)count,
			relay_now_ms(cx));
}

static bool take_opening(struct relay_ctx *cx, struct block *block)
{
	struct data *data = cx->data;
	const struct conf *conf = cx->conf;

	for (int i = 0; i < SOURCE_LEVELS && block->source[i]; i++)
		if (!ledger_take_more(&data->sources, block->source[i],
			    COUNT_OPENING,
			    conf->opening_per_source * times[i])) {
			give(cx, block, i, COUNT_OPENING);
			return false;
		}
	block->opening = true;
	return true;
}

static void open_no_more(struct relay_ctx *cx, struct block *block)
{
	if (block && block->opening)
		give(cx, block, SOURCE_LEVELS, COUNT_OPENING);
	if (block)
		block->opening = false;
}

/*
 * A flood of silent connections from many sources must not lock out honest
 * clients.  Each worker enforces its share of the limit.
 */
static void make_room(struct relay_ctx *cx, const struct relay_conn *conn)
{
	const struct conf *conf = cx->conf;
	int64_t most = conf->opening / relay_worker_count();

	if (!conf->opening || relay_conn_strangers(cx) <= (most ? most : 1))
		return;
	bounds_tell(cx, BOUND_OPENING, NULL);
	(void)relay_conn_make_room(cx, conn);
}

enum relay_verdict admission_accept(
	struct relay_ctx *cx, struct relay_conn *conn, struct relay_denial *why)
{
	struct block *block = relay_conn_data(cx, conn);
	struct sockaddr_storage from;
	struct source source;

	relay_conn_sockaddr(conn, &from);
	if (!is_exempt(cx->data, &from)) {
		source_read(&from, &source);
		if (!take(cx, block, &source))
			return bounds_refuse(cx, BOUND_SOURCE, conn, why);
		if (!take_opening(cx, block))
			return bounds_refuse(
				cx, BOUND_OPENING_SOURCE, conn, why);
	}
	make_room(cx, conn);
	return RELAY_PASS;
}

void admission_settled(struct relay_ctx *cx, struct relay_conn *conn)
{
	open_no_more(cx, relay_conn_data(cx, conn));
}

void admission_close(
	struct relay_ctx *cx, struct relay_conn *conn, enum relay_reason reason)
{
	struct block *block = relay_conn_data(cx, conn);

	(void)reason;
	if (!block)
		return;
	open_no_more(cx, block);
	give(cx, block, SOURCE_LEVELS, COUNT_ALL);
	for (int i = 0; i < SOURCE_LEVELS; i++)
		block->source[i] = NULL;
}

/* Counted on each of its levels, even if another level is at its limit. */
static bool spend(struct relay_ctx *cx, const struct block *block,
	unsigned rate, int64_t per_minute)
{
	struct data *data = cx->data;
	bool ok = true;

	for (int i = 0; i < SOURCE_LEVELS && block->source[i]; i++)
		ok &= ledger_spend(&data->sources, block->source[i], rate,
			per_minute * times[i], relay_now_ms(cx));
	return ok;
}

static bool may_fail(struct relay_ctx *cx, const struct block *block)
{
	struct data *data = cx->data;
	const struct conf *conf = cx->conf;
	bool ok = true;

	for (int i = 0; i < SOURCE_LEVELS && block->source[i]; i++)
		ok &= ledger_affords(&data->sources, block->source[i],
			RATE_FAILURES, conf->failures_per_minute * times[i],
			relay_now_ms(cx));
	return ok;
}

enum relay_verdict admission_try(struct relay_ctx *cx, struct relay_conn *conn,
	enum relay_try what, struct relay_denial *why)
{
	const struct conf *conf = cx->conf;
	const struct block *block = relay_conn_data(cx, conn);
	bool join = what == RELAY_TRY_JOIN;

	if (!block)
		return RELAY_PASS;
	if (!spend(cx, block, join ? RATE_JOINS : RATE_ASKS,
		    join ? conf->joins_per_minute : conf->asks_per_minute))
		return bounds_refuse(
			cx, join ? BOUND_JOINS : BOUND_ASKS, conn, why);
	if (!may_fail(cx, block))
		return bounds_refuse(cx, BOUND_FAILURES, conn, why);
	return RELAY_PASS;
}

void admission_failed(
	struct relay_ctx *cx, struct relay_conn *conn, enum relay_try what)
{
	const struct conf *conf = cx->conf;
	const struct block *block = relay_conn_data(cx, conn);

	(void)what;
	if (block)
		(void)spend(
			cx, block, RATE_FAILURES, conf->failures_per_minute);
}

static enum relay_verdict may_meet(struct relay_ctx *cx, const uint8_t *asker,
	const uint8_t *target, const struct relay_conn *conn,
	struct relay_denial *why)
{
	if (devices_all_full(cx))
		return bounds_refuse(cx, BOUND_SESSIONS, NULL, why);
	if (devices_full(cx, asker) || devices_full(cx, target))
		return bounds_refuse(cx, BOUND_DEVICE, conn, why);
	return RELAY_PASS;
}

/* Refuse before the invitation rather than when the session begins. */
enum relay_verdict admission_connect(struct relay_ctx *cx,
	struct relay_conn *conn, const uint8_t *target,
	struct relay_denial *why)
{
	return may_meet(cx, relay_conn_peer(conn), target, conn, why);
}

enum relay_verdict admission_asked(struct relay_ctx *cx,
	const struct relay_asker *asker, const uint8_t *target,
	struct relay_denial *why)
{
	return may_meet(cx, asker->id, target, NULL, why);
}
