/* SPDX-License-Identifier: MPL-2.0 */

/* The timer of claims, asks and leases of others. */

#include "cluster/answering.h"
#include "cluster/data.h"
#include "cluster/receiving.h"
#include "cluster/recount.h"
#include "cluster/ticking.h"

static void at_most(int64_t *ms, int64_t other)
{
	if (other < *ms)
		*ms = other;
}

static int64_t tick(struct relay_ctx *cx, void *arg)
{
	struct data *data = data_of(cx);
	int64_t now = relay_now_ms(cx), wait = receive_expire(cx);

	(void)arg;
	at_most(&wait, recount_tick(cx));
	at_most(&wait, claims_tick(data->claims, now));
	at_most(&wait, asks_tick(data->asks, now));
	at_most(&wait, answering_tick(cx));
	wait = wait < 1 ? 1 : wait;
	data->tick_due_ms = now + wait;
	return wait;
}

int ticking_start(struct relay_ctx *cx)
{
	struct data *data = data_of(cx);

	data->tick = relay_timer_add(cx, 1, tick, NULL);
	return data->tick ? 0 : -1;
}

/* Events come in bunches, and one call serves all of them. */
#define SOON_MS 20

void ticking_soon(struct relay_ctx *cx)
{
	struct data *data = data_of(cx);
	int64_t now = relay_now_ms(cx);
	struct relay_timer *timer;

	if (data->tick_due_ms <= now + SOON_MS)
		return;
	/* Without memory the present timer does it later. */
	timer = relay_timer_add(cx, SOON_MS, tick, NULL);
	if (!timer)
		return;
	relay_timer_del(data->tick);
	data->tick = timer;
	data->tick_due_ms = now + SOON_MS;
}
