/* SPDX-License-Identifier: MPL-2.0 */

#include "relay/data.h"
#include "relay/devices/device_drain.h"
#include "relay/messages/peer_connection.h"
#include "relay/metrics_table.h"
#include "relay/requests/invitations.h"
#include "relay/requests/parked_ask.h"

#define STEP_MS 100
/* Devices with sessions are checked again after this. */
#define BUSY_MS 1000

static struct drain_list *drain_list_of(const struct relay_ctx *cx)
{
	struct relay_local *local = cx->local;

	return &local->drain_list;
}

/* Whether it stays for now, because its session would end with the server. */
static bool stays(struct relay_ctx *cx, struct relay_conn *conn)
{
	return drain_list_of(cx)->how == RELAY_DRAIN_LEAVE &&
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
static void disconnect_next(struct relay_ctx *cx, size_t n)
{
	struct drain_list *list = drain_list_of(cx);

	for (; n > 0 && list->next < list->count; n--) {
		uint64_t id = list->devices[list->next++];
		struct relay_conn *conn = relay_conn_find(cx, id);

		if (!conn || peer_of(cx, conn)->state != PEER_JOINED)
			continue;
		if (stays(cx, conn))
			list->devices[list->kept++] = id;
		else
			send_away(cx, conn);
	}
}

/* How many to disconnect per step, so that all are disconnected in time. */
static int64_t step(struct relay_ctx *cx, void *arg)
{
	struct drain_list *list = arg;
	size_t left = list->count - list->next;
	int64_t ms = list->until_ms - relay_now_ms(cx);
	size_t steps = ms > STEP_MS ? (size_t)(ms / STEP_MS) : 1;

	disconnect_next(cx, (left + steps - 1) / steps);
	left = list->count - list->next;
	if (left)
		return steps > left ? ms / (int64_t)left : STEP_MS;
	list->count = list->kept;
	list->next = list->kept = 0;
	return BUSY_MS;
}

struct search {
	struct drain_list *list;
	int worker;
};

static void found(struct place place, void *arg)
{
	struct search *search = arg;

	if (place.worker == search->worker)
		(void)drain_list_add(search->list, place.conn);
}

struct order {
	enum relay_drain how;
	int64_t spread_ms;
};

static void on_order(struct relay_ctx *cx, const void *arg)
{
	const struct order *order = arg;
	struct drain_list *list = drain_list_of(cx);
	struct search search = {list, cx->worker};

	drain_list_clear(list);
	if (order->how == RELAY_DRAIN_NONE)
		return;
	list->how = order->how;
	list->until_ms = relay_now_ms(cx) + order->spread_ms;
	directory_each_owner(&data_of(cx)->directory, found, &search);
	list->timer = relay_timer_add(cx, STEP_MS, step, list);
	if (!list->timer)
		relay_log(cx, RELAY_ERROR,
			"no memory for a timer: devices are disconnected only "
			"when the drain ends");
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
		if (how == RELAY_DRAIN_MOVE)
			parked_ask_moved(cx);
		for (int i = 0; i < relay_worker_count(); i++)
			if (relay_post(cx, i, on_order, &order,
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
	drain_list_clear(drain_list_of(cx));
}
