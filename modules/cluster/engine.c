/* SPDX-License-Identifier: MPL-2.0 */

/* Opens the registry, and what it reports. */

#include <stdio.h>
#include <string.h>

#include "cluster/data.h"
#include "cluster/engine.h"
#include "cluster/own_node.h"
#include "cluster/receiving.h"
#include "cluster/sharing.h"
#include "cluster/ticking.h"

static void on_claimed(void *arg, const uint8_t id[REGISTRY_ID],
	const struct owner *before, const struct owner *now)
{
	claims_claimed(
		data_of(arg)->claims, id, before, now, relay_now_ms(arg));
	ticking_soon(arg);
}

static void on_found(void *arg, uint64_t number, enum find_end end)
{
	asks_found(data_of(arg)->asks, number, end, relay_now_ms(arg));
	ticking_soon(arg);
}

static void on_received(void *arg, const uint8_t *bytes, size_t len)
{
	if (data_of(arg)->known)
		receive_message(arg, bytes, len);
	ticking_soon(arg);
}

static void reach(struct relay_ctx *cx, bool reachable)
{
	atomic_store_explicit(
		&data_of(cx)->reachable, reachable, memory_order_relaxed);
}

/* The relay of another key uses this cluster's name: nothing of it is touched.
 */
static void tell_foreign(struct relay_ctx *cx, const uint8_t id[REGISTRY_ID])
{
	char theirs[RELAY_DEVICE_ID_TEXT], ours[RELAY_DEVICE_ID_TEXT];

	relay_device_id_format(id, theirs);
	relay_device_id_format(relay_server_id(), ours);
	relay_log(cx, RELAY_ERROR,
		"the cluster %s is of the relay %s, and this one is %s: this "
		"node stays alone; copy cert.pem and key.pem of the other "
		"nodes to the folder that keys names, or set name to another "
		"one",
		conf_of(cx)->name, theirs, ours);
}

static void enter(struct relay_ctx *cx)
{
	struct data *data = data_of(cx);

	data->known = true;
	data->foreign = false;
	if (data->away[0])
		relay_log(cx, RELAY_NOTICE, "the registry can be reached%s",
			data->whole ? ""
				    : ", and all devices are claimed again");
	data->away[0] = '\0';
	reach(cx, true);
	own_node_renew(cx);
	(void)data->ops->lease_all(data->registry);
	claims_back(data->claims, data->whole, relay_now_ms(cx));
	sharing_back(cx);
	ticking_soon(cx);
}

static void on_identified(void *arg, const uint8_t id[REGISTRY_ID])
{
	struct relay_ctx *cx = arg;
	struct data *data = data_of(cx);

	if (memcmp(id, relay_server_id(), REGISTRY_ID) == 0) {
		/* It may have been asked twice. */
		if (!data->known)
			enter(cx);
		return;
	}
	data->known = false;
	reach(cx, false);
	sharing_away(cx);
	if (!data->foreign)
		tell_foreign(cx, id);
	data->foreign = true;
}

static void on_back(void *arg, bool whole)
{
	struct relay_ctx *cx = arg;
	struct data *data = data_of(cx);

	data->whole = whole;
	/* If it cannot be asked, it is away in a moment. */
	(void)data->ops->identify(data->registry, relay_server_id());
}

static void on_away(void *arg, const char *why)
{
	struct relay_ctx *cx = arg;
	struct data *data = data_of(cx);

	reach(cx, false);
	data->known = false;
	sharing_away(cx);
	claims_away(data->claims, relay_now_ms(cx));
	relay_metric_inc(cx, data->counts[COUNT_LOST], 0, 1);
	if (!data->away[0])
		relay_log(cx, RELAY_WARNING,
			"the registry cannot be reached (%s): devices of this "
			"node are served, and those of other nodes are not "
			"found until it is back",
			why);
	snprintf(data->away, sizeof(data->away), "%s", why);
}

static const struct registry_calls calls = {
	.claimed = on_claimed,
	.found = on_found,
	.received = on_received,
	.row_stored = sharing_row_stored,
	.row_came = sharing_row_came,
	.rows_over = sharing_rows_over,
	.identified = on_identified,
	.back = on_back,
	.away = on_away,
};

static void on_log(void *arg, int level, const char *text)
{
	relay_log(arg, (enum relay_level)level, "%s", text);
}

static const struct registry_service *find_engine(
	struct relay_ctx *cx, struct relay_ctx **self)
{
	return relay_service_find(
		cx, REGISTRY_SERVICE, REGISTRY_SERVICE_VERSION, self);
}

int engine_open(struct relay_ctx *cx, struct relay_err *err)
{
	struct data *data = data_of(cx);
	struct relay_ctx *self = NULL;

	data->engine = find_engine(cx, &self);
	data->setup.redis.log = on_log;
	data->setup.redis.incarnation = data->seal.self;
	if (data->engine) {
		data->ops = data->engine->ops;
		data->registry = data->engine->open(self, conf_of(cx)->name,
			data->seal.self, &calls, cx, err);
	} else {
		data->ops = &redis_registry_ops;
		data->registry = redis_registry_open(relay_event_base(cx),
			&data->setup.redis, &calls, cx, err);
	}
	return data->registry ? 0 : -1;
}

bool engine_stays(struct relay_ctx *cx)
{
	const struct data *data = data_of(cx);
	const struct registry_service *engine = find_engine(cx, NULL);

	return data->registry && engine == data->engine &&
	       (engine || data->setup.same_server);
}

void engine_counts(const struct relay_ctx *cx, struct redis_counts *out)
{
	const struct data *data = data_of(cx);
	const struct redis_counts *before = &data->before;

	memset(out, 0, sizeof(*out));
	if (data->registry && !data->engine)
		redis_registry_counts(data->registry, out);
	for (int i = 0; i < REDIS_FAULTS; i++)
		out->faults[i] += before->faults[i];
	out->commands += before->commands;
	out->unanswered += before->unanswered;
	out->refused += before->refused;
	out->messages += before->messages;
	out->connects += before->connects;
	out->slow += before->slow;
}

void engine_close(struct relay_ctx *cx)
{
	struct data *data = data_of(cx);
	struct redis_counts counts;

	/* A counter that fell would look like a restart. */
	engine_counts(cx, &counts);
	data->before = counts;
	reach(cx, false);
	if (data->registry && data->engine)
		data->engine->close(data->registry);
	else if (data->registry)
		redis_registry_close(data->registry);
	data->registry = NULL;
	data->known = false;
	sharing_away(cx);
}
