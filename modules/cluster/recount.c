/* SPDX-License-Identifier: MPL-2.0 */

/* The devices that are here, compared with the claims. */

#include "cluster/data.h"
#include "cluster/recount.h"

#define RECOUNT_MS 1000

void recount_wanted(struct relay_ctx *cx)
{
	struct data *data = data_of(cx);

	atomic_store(&data->untold, true);
	relay_metric_inc(cx, data->counts[COUNT_UNTOLD], 0, 1);
	relay_log_seldom(cx, RELAY_ERROR, &data->no_memory,
		"no memory for news of a device: all devices that are here are "
		"looked at again within seconds");
}

static void is_here(const struct remote_conn *conn, void *arg)
{
	struct relay_ctx *cx = arg;

	if (claims_seen(data_of(cx)->claims, conn->id,
		    (struct claim_conn){conn->worker, conn->conn},
		    relay_now_ms(cx)) != 0)
		recount_wanted(cx);
}

void recount_now(struct relay_ctx *cx)
{
	struct data *data = data_of(cx);

	if (!data->remote)
		return;
	claims_recount(data->claims);
	if (data->remote->each(data->relay, is_here, cx) != 0)
		recount_wanted(cx);
	else
		claims_recounted(data->claims, relay_now_ms(cx));
}

static void tell_delays(struct relay_ctx *cx)
{
	struct data *data = data_of(cx);
	struct claims_count count;

	claims_counts(data->claims, &count);
	if (count.delayed + count.unrepeated != data->delayed)
		relay_log_seldom(cx, RELAY_ERROR, &data->delays,
			"no memory to settle which node has a device: it is "
			"tried again every second, or found by the next check");
	data->delayed = count.delayed + count.unrepeated;
}

int64_t recount_tick(struct relay_ctx *cx)
{
	struct data *data = data_of(cx);
	int64_t now = relay_now_ms(cx);
	uint64_t lost = data->remote ? data->remote->lost(data->relay) : 0;

	tell_delays(cx);
	if (data->recount_ms && now >= data->recount_ms) {
		data->recount_ms = 0;
		recount_now(cx);
	}
	if (atomic_exchange(&data->untold, false) || lost != data->lost)
		if (!data->recount_ms)
			data->recount_ms = now + RECOUNT_MS;
	data->lost = lost;
	return RECOUNT_MS;
}
