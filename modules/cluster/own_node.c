/* SPDX-License-Identifier: MPL-2.0 */

/* What this node tells the others of itself, and its lease. */

#include <arpa/inet.h>
#include <string.h>

#include "cluster/advice.h"
#include "cluster/data.h"
#include "cluster/own_node.h"
#include "cluster/places.h"
#include "cluster/sending.h"
#include "relay/service.h"

/* The configured address, else what the relay tells clients from outside. */
static void place(struct relay_ctx *cx, int family,
	const struct message_place *configured, struct message_place *out)
{
	const struct data *data = data_of(cx);
	struct sockaddr_storage told;

	*out = *configured;
	if (out->len || !data->remote ||
		data->remote->told(data->relay, family, &told) != 0)
		return;
	place_of_address(&told, out);
}

static uint64_t rate(struct relay_ctx *cx)
{
	struct data *data = data_of(cx);
	int64_t now = relay_now_ms(cx);
	int64_t traffic =
		relay_metric_value(cx, "core", "session_traffic", NULL);
	int64_t took = now - data->traffic_ms;
	uint64_t result = data->self.rate;

	/* Leases that follow one another at once measure nothing. */
	if (took < 500)
		return result;
	result = data->traffic_ms
			 ? (uint64_t)((traffic - data->traffic) * 1000 / took)
			 : 0;
	data->traffic = traffic;
	data->traffic_ms = now;
	return result;
}

static enum node_state state(void)
{
	if (relay_draining() != RELAY_DRAIN_NONE)
		return NODE_DRAINING;
	return relay_closed() ? NODE_CLOSED : NODE_OPEN;
}

static void measure(struct relay_ctx *cx)
{
	struct data *data = data_of(cx);
	struct node_facts *self = &data->self;

	memcpy(self->name, data->node, sizeof(self->name));
	place(cx, AF_INET, &data->setup.v4, &self->v4);
	place(cx, AF_INET6, &data->setup.v6, &self->v6);
	self->state = state();
	self->sessions =
		(uint32_t)relay_metric_value(cx, "core", "sessions", NULL);
	self->rate = rate(cx);
	self->capacity = (uint64_t)conf_of(cx)->capacity;
	self->lease_ms = (uint32_t)conf_of(cx)->lease_ms;
}

void own_node_tell(struct relay_ctx *cx, uint64_t to, uint64_t hello)
{
	struct message out = {.type = MESSAGE_LEASE};

	out.lease = data_of(cx)->self;
	out.lease.answers = hello;
	send_message(cx, to, &out);
}

/* A node that was stopped for longer than its lease has been ignored. */
static void note_lapse(struct relay_ctx *cx, int64_t now)
{
	struct data *data = data_of(cx);

	if (!data->leased_ms || now - data->leased_ms < conf_of(cx)->lease_ms)
		return;
	relay_log_seldom(cx, RELAY_WARNING, &data->lapsed,
		"this node's lease was over for a while, and the others have "
		"ignored its devices: they are claimed again");
	claims_lapsed(data->claims, now);
}

static void warn_of_name(struct relay_ctx *cx, int64_t now)
{
	struct data *data = data_of(cx);

	if (nodes_twin(data->nodes, &data->self, now))
		relay_log_seldom(cx, RELAY_WARNING, &data->same_name,
			"another node has this node's name, %s, too: set node "
			"to a name of its own",
			data->node);
}

void own_node_renew(struct relay_ctx *cx)
{
	struct data *data = data_of(cx);
	struct message out = {.type = MESSAGE_LEASE};
	uint8_t bytes[REGISTRY_MESSAGE];
	int64_t now = relay_now_ms(cx);
	size_t len;

	measure(cx);
	if (!data->known || !data->registry)
		return;
	out.lease = data->self;
	len = seal_close(&data->seal, &out, bytes, sizeof(bytes));
	if (!len || data->ops->lease(data->registry, bytes, len,
			    conf_of(cx)->lease_ms) != 0)
		return;
	note_lapse(cx, now);
	warn_of_name(cx, now);
	advice_place(cx);
	data->leased_ms = now;
}

static int64_t renew_later(struct relay_ctx *cx, void *arg)
{
	struct data *data = data_of(cx);

	(void)arg;
	/* Whose the cluster is may have been answered by an error, or by the ID
	 * of another relay, and the operator may have mended that. */
	if (data->registry && !data->known)
		(void)data->ops->identify(data->registry, relay_server_id());
	own_node_renew(cx);
	return conf_of(cx)->lease_ms / 3;
}

/* The gateway maps another port, or a name leads elsewhere. */
static void moved(struct relay_ctx *cx, const void *arg)
{
	(void)arg;
	own_node_renew(cx);
}

/* Without it the next lease tells of a change. */
static void watch(struct relay_ctx *cx)
{
	struct relay_ctx *self;
	const struct relay_service *relay = relay_service_find(
		cx, RELAY_SERVICE, RELAY_SERVICE_VERSION, &self);

	if (relay)
		(void)relay->watch(self, cx, moved);
}

void own_node_unwatch(struct relay_ctx *cx)
{
	struct relay_ctx *self;
	const struct relay_service *relay = relay_service_find(
		cx, RELAY_SERVICE, RELAY_SERVICE_VERSION, &self);

	if (relay)
		relay->unwatch(self, cx);
}

int own_node_start(struct relay_ctx *cx)
{
	struct data *data = data_of(cx);

	watch(cx);
	data->lease_timer = relay_timer_add(cx, 0, renew_later, NULL);
	return data->lease_timer ? 0 : -1;
}

void own_node_end(struct relay_ctx *cx)
{
	struct data *data = data_of(cx);
	struct message out = {.type = MESSAGE_GOODBYE};

	if (!data->known || !data->registry)
		return;
	send_message(cx, 0, &out);
	(void)data->ops->lease_end(data->registry);
}
