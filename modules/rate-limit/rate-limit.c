/* SPDX-License-Identifier: MPL-2.0 */

/* rate-limit - limits of sessions, devices and the whole server. */

#include <pthread.h>
#include <string.h>

#include <strelaysrv/module.h>

#include "devices.h"
#include "privileges.h"
#include "rate_limit_service.h"
#include "relay/id_hash.h"
#include "shaper.h"

struct conf {
	int64_t global;
	int64_t per_session;
	int64_t per_device;
	int64_t burst_ms;
	const char *const *weights;
	const char *const *exempt;
};

enum { METRIC_HELD, METRIC_SHARES, METRIC_RATE, METRIC_COUNT };

/* One for all threads. */
struct data {
	struct share_pool global;
	struct device_table devices;
	pthread_mutex_t lock; /* of the privileges */
	struct privileges privileges;
	_Atomic int64_t cap;         /* of the service; 0: none */
	_Atomic uint64_t generation; /* of all that sessions are set up by */
	struct relay_metric *metrics[METRIC_COUNT];
};

/* Of each worker. */
struct local {
	struct shaper_round round;
	bool ticking; /* its timer runs */
};

/* Of each session. */
struct block {
	uint64_t generation; /* that it was set up by; 0: not yet */
	bool exempt;
	struct device *device[2]; /* of the table; NULL: not known */
	struct shaper shaper;
};

/* 8 Tbit/s: what is above it is no limit, and must not overflow. */
#define RATE_MOST INT64_C(1000000000000)

static const struct relay_option options[] = {
	RELAY_OPT(struct conf, global, int64_t, "global", RELAY_RATE, "0", 0,
		RATE_MOST,
		"bytes per second of all sessions together; 0: no limit",
		.flag = "global-rate"),
	RELAY_OPT(struct conf, per_session, int64_t, "per-session", RELAY_RATE,
		"0", 0, RATE_MOST,
		"bytes per second of each session; 0: no limit",
		.flag = "per-session-rate"),
	RELAY_OPT(struct conf, per_device, int64_t, "per-device", RELAY_RATE,
		"0", 0, RATE_MOST,
		"bytes per second of each device, in all its sessions; 0: no "
		"limit"),
	RELAY_OPT(struct conf, burst_ms, int64_t, "burst", RELAY_DURATION,
		"100ms", 20, 2000,
		"how much silence may be made up for at full speed"),
	RELAY_OPT(struct conf, weights, const char *const *, "weights",
		RELAY_LIST, "", 0, 0,
		"devices whose sessions get more than one share of the global "
		"rate, as DEVICE-ID=SHARES"),
	RELAY_OPT(struct conf, exempt, const char *const *, "exempt",
		RELAY_LIST, "", 0, 0,
		"device IDs whose sessions have no limit and use up none"),
	RELAY_OPT_END};

static const char *const limits[] = {
	[LIMIT_GLOBAL] = "global",
	[LIMIT_DEVICE] = "device",
	[LIMIT_SESSION] = "session",
	[SHAPER_LIMITS] = NULL,
};

static int64_t effective(const struct data *data)
{
	return atomic_load_explicit(&data->global.rate, memory_order_relaxed);
}

static int64_t read_rate(struct relay_ctx *cx, unsigned value)
{
	(void)value;
	return effective(cx->data);
}

static int64_t read_shares(struct relay_ctx *cx, unsigned value)
{
	struct data *data = cx->data;

	(void)value;
	return atomic_load_explicit(&data->global.weight, memory_order_relaxed);
}

static const struct relay_metric_def metrics[METRIC_COUNT] = {
	[METRIC_HELD] = {.name = "held_back",
		.unit = "",
		.kind = RELAY_COUNTER,
		.label = "limit",
		.values = limits,
		.help = "Times that a session had to wait, by the limit that "
			"was short."},
	[METRIC_SHARES] = {.name = "shares",
		.unit = "",
		.kind = RELAY_GAUGE,
		.read = read_shares,
		.help = "Shares of the global rate that are taken at the "
			"moment: those of devices with sessions that ask "
			"for bytes, and one for each session of none."},
	[METRIC_RATE] = {.name = "global_rate",
		.unit = "bytes_per_second",
		.kind = RELAY_GAUGE,
		.read = read_rate,
		.help = "The global limit in force; 0 is none."},
};

static int check(const void *values, struct relay_err *err)
{
	const struct conf *conf = values;
	struct privileges privileges;

	if (privileges_read(&privileges, conf->weights, conf->exempt, err) != 0)
		return -1;
	privileges_free(&privileges);
	return 0;
}

/* Workers: who takes part, and the ticks. */

static bool anything_to_do(const struct relay_ctx *cx)
{
	const struct conf *conf = cx->conf;

	return conf->per_session || conf->per_device || effective(cx->data);
}

static void listen_or_not(struct relay_ctx *cx, const void *arg)
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
		devices_put(&data->devices, block->device[side]);
		block->device[side] = NULL;
	}
}

/* NULL: it is not known, or one that talks to itself, which is limited once. */
static struct device *get_device(struct relay_ctx *cx,
	struct relay_session *session, int side, bool *exempt)
{
	struct data *data = cx->data;
	const struct conf *conf = cx->conf;
	const uint8_t *id = relay_conn_peer(relay_session_side(session, side));
	const uint8_t *first = relay_conn_peer(relay_session_side(session, 0));
	int64_t weight;

	if (!id || (side == 1 && first &&
			   memcmp(id, first, RELAY_DEVICE_ID_LEN) == 0))
		return NULL;
	pthread_mutex_lock(&data->lock);
	weight = privileges_weight(&data->privileges, id);
	pthread_mutex_unlock(&data->lock);
	if (weight == WEIGHT_EXEMPT) {
		*exempt = true;
		return NULL;
	}
	if (!conf->per_device && !effective(data))
		return NULL;
	return devices_get(&data->devices, id, weight, conf->per_device,
		conf->burst_ms, relay_now_ms(cx));
}

/* The pools that it has parts in, and what it may have of them. */
static void set_up(struct relay_ctx *cx, struct relay_session *session,
	struct block *block, uint64_t generation)
{
	struct data *data = cx->data;
	const struct conf *conf = cx->conf;
	struct shaper *shaper = &block->shaper;
	struct device *sharer;
	bool first = block->generation == 0;

	put_devices(data, block);
	block->generation = generation;
	block->exempt = false;
	shaper->weight = 1;
	shaper_rate(shaper, conf->per_session, conf->burst_ms);
	if (first)
		shaper_begin(shaper, relay_now_ms(cx));
	for (int side = 0; side < 2; side++) {
		struct device *device =
			get_device(cx, session, side, &block->exempt);

		block->device[side] = device;
		shaper->part[PART_DEVICE + side].pool =
			device && conf->per_device ? &device->own : NULL;
	}
	sharer = devices_sharer(
		&data->devices, block->device[0], block->device[1]);
	shaper->part[PART_GLOBAL].pool = !effective(data) ? NULL
					 : sharer         ? &sharer->share
							  : &data->global;
}

static void leave(struct relay_ctx *cx, struct block *block)
{
	struct local *local = cx->local;

	shaper_leave(&block->shaper, &local->round);
}

static size_t session_grant(struct relay_ctx *cx, struct relay_session *session,
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
	if (!local->ticking)
		local->ticking =
			relay_timer_add(cx, SHARE_TICK_MS, tick, NULL) != NULL;
	if (grant == 0) {
		*wait_ms = (unsigned)wait;
		relay_metric_inc(cx, data->metrics[METRIC_HELD], limit, 1);
	}
	return grant;
}

static void session_sent(struct relay_ctx *cx, struct relay_session *session,
	int from, size_t len)
{
	struct block *block = relay_session_data(cx, session);

	if (block && block->generation && !block->exempt)
		shaper_sent(&block->shaper, from, len);
}

static void session_close(struct relay_ctx *cx, struct relay_session *session,
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

static int worker_start(struct relay_ctx *cx, struct relay_err *err)
{
	(void)err;
	listen_or_not(cx, NULL);
	return 0;
}

/* Control: options, and the service. */

/* The lower of what the options and the service say. */
static void apply(struct relay_ctx *cx)
{
	struct data *data = cx->data;
	const struct conf *conf = cx->conf;
	int64_t cap = atomic_load_explicit(&data->cap, memory_order_relaxed);
	int64_t rate = conf->global;

	if (cap && (!rate || cap < rate))
		rate = cap;
	share_pool_set(&data->global, rate, conf->burst_ms);
	atomic_fetch_add_explicit(&data->generation, 1, memory_order_release);
}

static void tell_workers(struct relay_ctx *cx)
{
	for (int i = 0; i < relay_worker_count(); i++)
		if (relay_post(cx, i, listen_or_not, NULL, 0) != 0)
			relay_log(cx, RELAY_ERROR,
				"no memory to tell a worker of new limits");
}

static void cap(struct relay_ctx *cx, int64_t rate)
{
	struct data *data = cx->data;

	if (atomic_exchange_explicit(&data->cap, rate, memory_order_relaxed) ==
		rate)
		return;
	apply(cx);
	tell_workers(cx);
}

static const struct rate_limit_service service = {.cap = cap};

static int load(struct relay_ctx *cx, struct relay_err *err)
{
	struct data *data = cx->data;
	const struct conf *conf = cx->conf;
	struct privileges next, old;

	if (privileges_read(&next, conf->weights, conf->exempt, err) != 0)
		return -1;
	pthread_mutex_lock(&data->lock);
	old = data->privileges;
	data->privileges = next;
	pthread_mutex_unlock(&data->lock);
	privileges_free(&old);
	apply(cx);
	return 0;
}

static int init(struct relay_ctx *cx, struct relay_err *err)
{
	struct data *data = cx->data;

	if (relay_metrics_add(cx, metrics, METRIC_COUNT, data->metrics, err) !=
		0)
		return -1;
	if (relay_service_publish(cx, RATE_LIMIT_SERVICE,
		    RATE_LIMIT_SERVICE_VERSION, &service) != 0)
		return relay_fail(
			err, "cannot offer the service %s", RATE_LIMIT_SERVICE);
	if (devices_init(&data->devices, &data->global) != 0 ||
		pthread_mutex_init(&data->lock, NULL) != 0)
		return relay_fail(err, "cannot make a mutex");
	return 0;
}

static int start(struct relay_ctx *cx, struct relay_err *err)
{
	const struct conf *conf = cx->conf;
	struct data *data = cx->data;

	share_pool_init(
		&data->global, conf->global, conf->burst_ms, relay_now_ms(cx));
	return load(cx, err);
}

static void reload(struct relay_ctx *cx)
{
	struct relay_err err;

	if (load(cx, &err) != 0)
		relay_log(cx, RELAY_ERROR, "goes on as before: %s", err.text);
	tell_workers(cx);
}

static void fini(struct relay_ctx *cx)
{
	struct data *data = cx->data;

	privileges_free(&data->privileges);
	devices_finish(&data->devices);
	pthread_mutex_destroy(&data->lock);
}

RELAY_MODULE = {
	RELAY_MODULE_INFO("rate-limit", "1.0",
		"limits of sessions, devices and the whole server"),
	.options = options,
	.conf_size = sizeof(struct conf),
	.data_size = sizeof(struct data),
	.worker_size = sizeof(struct local),
	.session_size = sizeof(struct block),
	.check = check,
	.init = init,
	.start = start,
	.reload = reload,
	.fini = fini,
	.worker_start = worker_start,
	.hooks =
		{
			.session_grant = session_grant,
			.session_sent = session_sent,
			.session_close = session_close,
		},
};
