/* SPDX-License-Identifier: MPL-2.0 */

/* What each session may send: who takes part, and the ticks.  [W] */

#include <string.h>

#include "rate_limit.h"

static bool anything_to_do(const struct relay_ctx *cx)
{
	const struct data *data = cx->data;

	/* Do not call effective() here: it returns the committed rate, but a
	 * worker sees the new options earlier. */
	for (int limit = 0; limit < SHAPER_LIMITS; limit++)
		if (limit_of(cx, limit))
			return true;
	return atomic_load_explicit(&data->cap, memory_order_relaxed) ||
	       atomic_load_explicit(&data->granting, memory_order_relaxed);
}

void sessions_listen(struct relay_ctx *cx, const void *arg)
{
	(void)arg;
	relay_session_hooks(cx, anything_to_do(cx));
}

static int64_t tick(struct relay_ctx *cx, void *arg)
{
	struct local *local = cx->local;
	int64_t now = relay_now_ms(cx);

	(void)arg;
	shaper_round_turn(&local->round, now);
	if (!local->round.first) {
		local->ticking = false;
		return 0;
	}
	return SHARE_TICK_MS - now % SHARE_TICK_MS;
}

static void put_devices(struct data *data, struct block *block)
{
	for (int side = 0; side < 2; side++) {
		devices_put(&data->devices, block->part[side]);
		block->part[side] = NULL;
	}
}

/* Its weight and its rate, and its source; no source is exempt. */
static void look_up(struct data *data, const struct relay_conn *conn,
	const uint8_t *id, struct device_terms *terms, struct source *source)
{
	const struct grant *grant;

	pthread_mutex_lock(&data->lock);
	terms->weight = privileges_weight(&data->privileges, id);
	grant = grants_find(&data->grants, id);
	if (grant && grant->weight && terms->weight == 1)
		terms->weight = grant->weight;
	if (grant && grant->rate && (!terms->rate || grant->rate < terms->rate))
		terms->rate = grant->rate;
	exempt_source(&data->exempt, conn, source);
	pthread_mutex_unlock(&data->lock);
}

/* Peers of a protocol without device IDs count by their source. */
static void id_of(const struct relay_conn *conn, uint8_t out[ID_LEN])
{
	const uint8_t *id = relay_conn_peer(conn);
	struct sockaddr_storage from;
	struct source source;

	if (!id) {
		relay_conn_sockaddr(conn, &from);
		source_read(&from, &source);
		id = source.key[0];
	}
	memcpy(out, id, ID_LEN);
}

/* NULL: it is also the other side of the session and so is limited already. */
static struct device_part *get_device(struct relay_ctx *cx,
	struct relay_session *session, int side, bool *exempt)
{
	struct data *data = cx->data;
	const struct conf *conf = cx->conf;
	const struct relay_conn *conn = relay_session_side(session, side);
	uint8_t id[ID_LEN], first[ID_LEN];
	struct device_terms terms = {
		.rate = limit_of(cx, LIMIT_DEVICE), .burst_ms = conf->burst_ms};
	struct source source;

	id_of(conn, id);
	id_of(relay_session_side(session, 0), first);
	if (side == 1 && memcmp(id, first, ID_LEN) == 0)
		return NULL;
	look_up(data, conn, id, &terms, &source);
	if (terms.weight == WEIGHT_EXEMPT) {
		*exempt = true;
		return NULL;
	}
	if (!terms.rate && !effective(data))
		return NULL;
	/* The widest level: a site has 65,536 of the narrowest. */
	return devices_get(&data->devices, id,
		source.levels ? source.key[source.levels - 1] : NULL, &terms,
		relay_now_ms(cx));
}

/* The pools that it has parts in, and what it may have of them. */
static void set_up(struct relay_ctx *cx, struct relay_session *session,
	struct block *block, uint64_t generation)
{
	struct data *data = cx->data;
	const struct conf *conf = cx->conf;
	struct shaper *shaper = &block->shaper;
	struct device_part *sharer;
	bool first = block->generation == 0;

	put_devices(data, block);
	block->generation = generation;
	block->exempt = false;
	shaper->weight = 1;
	shaper_rate(shaper, limit_of(cx, LIMIT_SESSION), conf->burst_ms);
	if (first)
		shaper_begin(shaper, relay_now_ms(cx));
	for (int side = 0; side < 2; side++) {
		struct device_part *part =
			get_device(cx, session, side, &block->exempt);

		block->part[side] = part;
		shaper->part[PART_DEVICE + side].pool =
			part && atomic_load(&part->device->own.rate)
				? &part->device->own
				: NULL;
	}
	sharer = devices_sharer(&data->devices, block->part[0], block->part[1]);
	shaper->part[PART_GLOBAL].pool = !effective(data) ? NULL
					 : sharer         ? &sharer->share
							  : &data->global;
}

static void leave(struct relay_ctx *cx, struct block *block)
{
	struct local *local = cx->local;

	shaper_leave(&block->shaper, &local->round);
}

static void ensure_ticks(struct relay_ctx *cx)
{
	struct local *local = cx->local;

	if (!local->ticking)
		local->ticking =
			relay_timer_add(cx, SHARE_TICK_MS, tick, NULL) != NULL;
}

size_t sessions_grant(struct relay_ctx *cx, struct relay_session *session,
	int from, size_t len, unsigned *wait_ms)
{
	struct data *data = cx->data;
	struct local *local = cx->local;
	struct block *block = relay_session_data(cx, session);
	uint64_t generation =
		atomic_load_explicit(&data->generation, memory_order_acquire);
	enum shaper_limit limit = LIMIT_GLOBAL;
	int64_t wait = 1;
	size_t grant;

	if (!block) /* it is older than this module's start */
		return len;
	if (block->generation != generation) {
		leave(cx, block);
		set_up(cx, session, block, generation);
	}
	if (block->exempt)
		return len;
	grant = shaper_grant(&block->shaper, &local->round, from, len,
		relay_now_ms(cx), &wait, &limit);
	ensure_ticks(cx);
	if (grant == 0) {
		*wait_ms = (unsigned)wait;
		relay_metric_inc(cx, data->metrics[METRIC_HELD], limit, 1);
	}
	return grant;
}

/* The message that limits have changed may not have reached this worker, and
 * without a session there was no reload hook: check again. */
enum relay_verdict sessions_open(struct relay_ctx *cx,
	struct relay_session *session, struct relay_denial *why)
{
	(void)session;
	(void)why;
	sessions_listen(cx, NULL);
	return RELAY_PASS;
}

void sessions_reload(struct relay_ctx *cx, struct relay_session *session)
{
	(void)session;
	sessions_listen(cx, NULL);
}

void sessions_leave(struct relay_ctx *cx, struct relay_session *session)
{
	struct local *local = cx->local;
	struct block *block = relay_session_data(cx, session);

	if (block)
		shaper_depart(&block->shaper, &local->round);
}

void sessions_enter(struct relay_ctx *cx, struct relay_session *session)
{
	struct local *local = cx->local;
	struct block *block = relay_session_data(cx, session);

	if (block && block->shaper.in) {
		shaper_arrive(&block->shaper, &local->round);
		ensure_ticks(cx);
	}
	sessions_listen(cx, NULL);
}

void sessions_sent(struct relay_ctx *cx, struct relay_session *session,
	int from, size_t len)
{
	struct block *block = relay_session_data(cx, session);

	if (block && block->generation && !block->exempt)
		shaper_sent(&block->shaper, from, len);
}

void sessions_close(struct relay_ctx *cx, struct relay_session *session,
	enum relay_reason reason)
{
	struct data *data = cx->data;
	struct block *block = relay_session_data(cx, session);

	(void)reason;
	if (!block)
		return;
	leave(cx, block);
	put_devices(data, block);
}
