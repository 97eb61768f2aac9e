/* SPDX-License-Identifier: MPL-2.0 */

/* Disconnects devices during a drain, spread over a time. */

#include <stdlib.h>

#include "relay/relay.h"

#define STEP_MS 100
/* Devices with sessions are checked again after this. */
#define BUSY_MS 1000

static struct device_drain *device_drain_of(const struct relay_ctx *cx)
{
	struct relay_local *local = cx->local;

	return &local->device_drain;
}

static void forget(struct device_drain *device_drain)
{
	relay_timer_del(device_drain->timer);
	free(device_drain->devices);
	*device_drain = (struct device_drain){.how = RELAY_DRAIN_NONE};
}

/* Whether it stays for now, because its session would end with the server. */
static bool stays(struct relay_ctx *cx, struct relay_conn *conn)
{
	return device_drain_of(cx)->how == RELAY_DRAIN_LEAVE &&
	       directory_busy(&data_of(cx)->directory, relay_conn_peer(conn));
}

static void send_away(struct relay_ctx *cx, struct relay_conn *conn)
{
	uint64_t id = relay_conn_id(conn);

	/*
	 * Its sessions continue, and those it was invited to may still begin.
	 */
	peer_of(cx, conn)->keeps_sessions = true;
	invitations_flush(cx, relay_conn_peer(conn));
	conn = relay_conn_find(cx, id);
	if (!conn || peer_of(cx, conn)->state == PEER_GONE)
		return;
	count(cx, METRIC_SENT_AWAY, 0);
	peer_send_away(cx, conn);
}

/* Handles the next `n` of the list; those that stay are moved to its start. */
static void take_leave(struct relay_ctx *cx, size_t n)
{
	struct device_drain *device_drain = device_drain_of(cx);

	for (; n > 0 && device_drain->next < device_drain->count; n--) {
		uint64_t id = device_drain->devices[device_drain->next++];
		struct relay_conn *conn = relay_conn_find(cx, id);

		if (!conn || peer_of(cx, conn)->state != PEER_JOINED)
			continue;
		if (stays(cx, conn))
			device_drain->devices[device_drain->kept++] = id;
		else
			send_away(cx, conn);
	}
}

/* How many to disconnect per step, so that all are disconnected in time. */
static int64_t step(struct relay_ctx *cx, void *arg)
{
	struct device_drain *device_drain = arg;
	size_t left = device_drain->count - device_drain->next;
	int64_t ms = device_drain->until_ms - relay_now_ms(cx);
	size_t steps = ms > STEP_MS ? (size_t)(ms / STEP_MS) : 1;

	take_leave(cx, (left + steps - 1) / steps);
	left = device_drain->count - device_drain->next;
	if (left)
		return steps > left ? ms / (int64_t)left : STEP_MS;
	device_drain->count = device_drain->kept;
	device_drain->next = device_drain->kept = 0;
	return BUSY_MS;
}

static int add(struct device_drain *device_drain, uint64_t id)
{
	size_t room = device_drain->room ? device_drain->room * 2 : 64;
	uint64_t *devices;

	if (device_drain->count == device_drain->room) {
		devices = reallocarray(
			device_drain->devices, room, sizeof(*devices));
		if (!devices)
			return -1;
		device_drain->devices = devices;
		device_drain->room = room;
	}
	device_drain->devices[device_drain->count++] = id;
	return 0;
}

void device_drain_joined(struct relay_ctx *cx, struct relay_conn *conn)
{
	struct device_drain *device_drain = device_drain_of(cx);

	/* If memory is short, the end of the drain closes it. */
	if (device_drain->how != RELAY_DRAIN_NONE)
		(void)add(device_drain, relay_conn_id(conn));
}

struct search {
	struct device_drain *device_drain;
	int worker;
};

static void found(struct place place, void *arg)
{
	struct search *search = arg;

	if (place.worker == search->worker)
		(void)add(search->device_drain, place.conn);
}

struct order {
	enum relay_drain how;
	int64_t spread_ms;
};

static void hear_order(struct relay_ctx *cx, const void *arg)
{
	const struct order *order = arg;
	struct device_drain *device_drain = device_drain_of(cx);
	struct search search = {device_drain, cx->worker};

	forget(device_drain);
	if (order->how == RELAY_DRAIN_NONE)
		return;
	device_drain->how = order->how;
	device_drain->until_ms = relay_now_ms(cx) + order->spread_ms;
	directory_each_owner(&data_of(cx)->directory, found, &search);
	device_drain->timer = relay_timer_add(cx, STEP_MS, step, device_drain);
	if (!device_drain->timer)
		relay_log(cx, RELAY_ERROR,
			"no memory for a timer: devices stay until the end");
}

static int64_t spread_ms(struct relay_ctx *cx)
{
	struct relay_value value;

	return relay_option_get(cx, NULL, "drain-spread", &value) == 0
		       ? value.number
		       : 0;
}

int64_t device_drain_notice(struct relay_ctx *cx, enum relay_drain how)
{
	struct relay_data *data = data_of(cx);
	const struct order order = {how, spread_ms(cx)};

	if (how != data->drain) {
		data->drain = how;
		for (int i = 0; i < relay_worker_count(); i++)
			if (relay_post(cx, i, hear_order, &order,
				    sizeof(order)) != 0)
				relay_log(cx, RELAY_ERROR,
					"no memory to tell a worker of the "
					"drain");
	}
	return relay_metric_value(cx, "relay", "devices", NULL) +
	       pending_sessions(&data->pending);
}

void device_drain_finish(struct relay_ctx *cx)
{
	forget(device_drain_of(cx));
}
