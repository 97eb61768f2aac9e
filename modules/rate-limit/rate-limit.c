/* SPDX-License-Identifier: MPL-2.0 */

/* rate-limit - bandwidth limits for sessions, devices and the whole server. */

#include "rate_limit.h"
#include "rate_limit_service.h"

static const struct relay_option options[] = {
	RELAY_OPT(struct conf, global, int64_t, "global", RELAY_RATE, "0", 0,
		RATE_MOST,
		"bytes per second of all sessions together; 0: no limit",
		.flag = "global-rate", .flags = RELAY_OPTION_BASIC),
	RELAY_OPT(struct conf, per_session, int64_t, "per-session", RELAY_RATE,
		"0", 0, RATE_MOST,
		"bytes per second of each session; 0: no limit",
		.flag = "per-session-rate"),
	RELAY_OPT(struct conf, per_device, int64_t, "per-device", RELAY_RATE,
		"0", 0, RATE_MOST,
		"bytes per second of each device, in all its sessions; 0: no "
		"limit"),
	RELAY_OPT(struct conf, burst_ms, int64_t, "burst", RELAY_DURATION,
		"100ms", 20, 2000, "for how long unused bandwidth is saved up"),
	RELAY_OPT(struct conf, weights, const char *const *, "weights",
		RELAY_LIST, "", 0, 0,
		"devices whose sessions get more than one share of the global "
		"rate, as DEVICE-ID=SHARES"),
	RELAY_OPT(struct conf, exempt, const char *const *, "exempt",
		RELAY_LIST, "", 0, 0,
		"device IDs whose sessions are not limited and count towards "
		"no limit"),
	RELAY_OPT_END};

static const char *const limits[] = {
	[LIMIT_GLOBAL] = "global",
	[LIMIT_DEVICE] = "device",
	[LIMIT_SESSION] = "session",
	[SHAPER_LIMITS] = NULL,
};

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
		.help = "How often a session had to wait, by the limit that "
			"was reached."},
	[METRIC_SHARES] = {.name = "shares",
		.unit = "",
		.kind = RELAY_GAUGE,
		.read = read_shares,
		.help = "Shares of the global rate in use: one for each source "
			"with active sessions, those of devices with a weight "
			"or an exempt address, and one for each session "
			"without a known device."},
	[METRIC_RATE] = {.name = "global_rate",
		.unit = "bytes_per_second",
		.kind = RELAY_GAUGE,
		.read = read_rate,
		.help = "The global limit in force; 0: no limit."},
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

static int worker_start(struct relay_ctx *cx, struct relay_err *err)
{
	(void)err;
	sessions_listen(cx, NULL);
	return 0;
}

/* Control: options, and the service. */

/* The lower rate of option and service. */
static void apply(struct relay_ctx *cx)
{
	struct data *data = cx->data;
	const struct conf *conf = cx->conf;
	int64_t cap = atomic_load_explicit(&data->cap, memory_order_relaxed);
	int64_t rate = limit_of(cx, LIMIT_GLOBAL);

	if (cap && (!rate || cap < rate))
		rate = cap;
	share_pool_set(&data->global, rate, conf->burst_ms);
	atomic_fetch_add_explicit(&data->generation, 1, memory_order_release);
}

static void tell_workers(struct relay_ctx *cx)
{
	struct data *data = cx->data;

	data->untold = false;
	for (int i = 0; i < relay_worker_count(); i++)
		if (relay_post(cx, i, sessions_listen, NULL, 0) != 0)
			data->untold = true;
}

static void cap(struct relay_ctx *cx, int64_t rate)
{
	struct data *data = cx->data;

	if (atomic_exchange_explicit(&data->cap, rate, memory_order_relaxed) !=
		rate)
		apply(cx);
	else if (!data->untold)
		return;
	tell_workers(cx);
}

void command_rate(struct relay_ctx *cx, int limit, int64_t rate)
{
	struct data *data = cx->data;

	atomic_store_explicit(
		&data->commanded[limit], rate, memory_order_relaxed);
	apply(cx);
	tell_workers(cx);
}

/* A reload puts the options into force again. */
static void forget_commands(struct relay_ctx *cx)
{
	struct data *data = cx->data;
	bool any = false;

	for (int limit = 0; limit < SHAPER_LIMITS; limit++) {
		any |= is_commanded(data, limit);
		atomic_store_explicit(&data->commanded[limit], RATE_UNSET,
			memory_order_relaxed);
	}
	if (!any)
		return;
	relay_log(cx, RELAY_NOTICE,
		"the limits are those of the configuration again");
	tell_workers(cx);
}

static void note_grants(struct relay_ctx *cx, bool any)
{
	struct data *data = cx->data;

	if (atomic_exchange_explicit(
		    &data->granting, any, memory_order_relaxed) != any ||
		data->untold)
		tell_workers(cx);
}

static void apply_now(struct relay_ctx *cx)
{
	struct data *data = cx->data;

	atomic_fetch_add_explicit(&data->generation, 1, memory_order_release);
}

static int hold_by(struct relay_ctx *cx, const char *holder, const uint8_t *id,
	int64_t rate, int64_t weight)
{
	struct data *data = cx->data;
	int result;

	pthread_mutex_lock(&data->lock);
	result = grants_hold(&data->grants, holder, id, rate, weight);
	pthread_mutex_unlock(&data->lock);
	note_grants(cx, data->grants.all != NULL);
	/* Its session may have begun before the message came here. */
	if (devices_has(&data->devices, id))
		apply_now(cx);
	return result;
}

static void let_go_by(
	struct relay_ctx *cx, const char *holder, const uint8_t *id)
{
	struct data *data = cx->data;

	pthread_mutex_lock(&data->lock);
	grants_let_go(&data->grants, holder, id);
	pthread_mutex_unlock(&data->lock);
	note_grants(cx, data->grants.all != NULL);
}

static int hold(
	struct relay_ctx *cx, const uint8_t *id, int64_t rate, int64_t weight)
{
	return hold_by(cx, "", id, rate, weight);
}

static void let_go(struct relay_ctx *cx, const uint8_t *id)
{
	let_go_by(cx, "", id);
}

static const struct rate_limit_service service = {.cap = cap,
	.hold = hold,
	.let_go = let_go,
	.apply_now = apply_now,
	.hold_by = hold_by,
	.let_go_by = let_go_by};

static int init(struct relay_ctx *cx, struct relay_err *err)
{
	struct data *data = cx->data;

	for (int limit = 0; limit < SHAPER_LIMITS; limit++)
		atomic_init(&data->commanded[limit], RATE_UNSET);
	if (relay_metrics_add(cx, metrics, METRIC_COUNT, data->metrics, err) !=
		0)
		return -1;
	if (relay_command_add(cx, &limit_command) != 0)
		return relay_fail(err, "cannot add the command limit");
	if (relay_service_publish(cx, "rate-limit" RELAY_STATUS_PART,
		    RELAY_STATUS_VERSION, &limit_status) != 0)
		return relay_fail(err, "cannot add to the status");
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
	if (privileges_read(
		    &data->privileges, conf->weights, conf->exempt, err) != 0)
		return -1;
	if (exempt_read(cx, &data->exempt, err) != 0)
		return -1;
	apply(cx);
	return 0;
}

static int reload_prepare(
	struct relay_ctx *cx, const void *values, struct relay_err *err)
{
	const struct conf *conf = values;
	struct data *data = cx->data;

	if (privileges_read(&data->next, conf->weights, conf->exempt, err) != 0)
		return -1;
	if (exempt_read(cx, &data->next_exempt, err) == 0)
		return 0;
	privileges_free(&data->next);
	return -1;
}

static void reload_commit(struct relay_ctx *cx)
{
	struct data *data = cx->data;
	struct privileges old;
	struct ranges old_exempt;

	pthread_mutex_lock(&data->lock);
	old = data->privileges;
	data->privileges = data->next;
	old_exempt = data->exempt;
	data->exempt = data->next_exempt;
	pthread_mutex_unlock(&data->lock);
	privileges_free(&old);
	ranges_free(&old_exempt);
	data->next = (struct privileges){.count = 0};
	data->next_exempt = (struct ranges){0};
	forget_commands(cx);
	apply(cx);
}

static void reload_abandon(struct relay_ctx *cx)
{
	struct data *data = cx->data;

	privileges_free(&data->next);
	ranges_free(&data->next_exempt);
}

static void fini(struct relay_ctx *cx)
{
	struct data *data = cx->data;

	privileges_free(&data->privileges);
	ranges_free(&data->exempt);
	grants_free(&data->grants);
	devices_finish(&data->devices);
	pthread_mutex_destroy(&data->lock);
}

RELAY_MODULE = {
	RELAY_MODULE_INFO("rate-limit", "1.0",
		"limits of sessions, devices and the whole server"),
	.options = options,
	.flags = RELAY_CONFINED,
	.conf_size = sizeof(struct conf),
	.data_size = sizeof(struct data),
	.worker_size = sizeof(struct local),
	.session_size = sizeof(struct block),
	.check = check,
	.init = init,
	.start = start,
	.fini = fini,
	.worker_start = worker_start,
	.hooks =
		{
			.session_open = sessions_open,
			.session_grant = sessions_grant,
			.session_sent = sessions_sent,
			.session_close = sessions_close,
			.session_reload = sessions_reload,
			.reload_prepare = reload_prepare,
			.reload_commit = reload_commit,
			.reload_abandon = reload_abandon,
			.session_leave = sessions_leave,
			.session_enter = sessions_enter,
		},
};
