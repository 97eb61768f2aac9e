/* SPDX-License-Identifier: MPL-2.0 */

/* What a drain means for clients that wait. */

#include "wormhole-transit/drain.h"

/* How long a client may wait in a drain: its other one is about to come. */
#define LEAVE_MS 10000
/* The new process has not read yet what was passed on before. */
#define AGAIN_MS 20

static int64_t pass_all(struct relay_ctx *cx, void *arg);

/* False: the new process has to read first.  One that cannot be passed on waits
 * here. */
static bool pass_on(struct relay_ctx *cx, struct relay_conn *conn)
{
	const struct client *client = client_of(cx, conn);

	return relay_conn_pass_on(cx, conn, client->bytes, client->len) !=
	       RELAY_PASS_ON_LATER;
}

/* Until none is left, or the drain is over. */
static void pass_later(struct relay_ctx *cx)
{
	struct local *local = local_of(cx);

	/* Without memory the next notice tries again. */
	if (!local->passing)
		local->passing =
			relay_timer_add(cx, AGAIN_MS, pass_all, NULL) != NULL;
}

/* One that is not in the table has a partner on its way.  False: as pass_on().
 */
static bool pass_each(struct relay_ctx *cx)
{
	struct waiter *waiter, *next;

	for (waiter = local_of(cx)->here; waiter; waiter = next) {
		struct relay_conn *conn =
			relay_conn_find(cx, waiter->place.conn);

		next = waiter->here_next; /* pass_on() frees it */
		if (conn && waiting_has(&data_of(cx)->waiting, waiter) &&
			!pass_on(cx, conn))
			return false;
	}
	return true;
}

static int64_t pass_all(struct relay_ctx *cx, void *arg)
{
	(void)arg;
	if (relay_draining() == RELAY_DRAIN_MOVE && !pass_each(cx))
		return AGAIN_MS;
	local_of(cx)->passing = false;
	return 0;
}

/* A drain shortens the wait, until it is called off. */
static void set_deadline(struct relay_ctx *cx, struct relay_conn *conn,
	const struct waiter *waiter, enum relay_drain how)
{
	int64_t left = waiter->until_ms - relay_now_ms(cx);

	if (how == RELAY_DRAIN_LEAVE && left > LEAVE_MS)
		left = LEAVE_MS;
	relay_conn_deadline(conn, left > 0 ? left : 0);
}

static void on_drain(struct relay_ctx *cx, const void *arg)
{
	const enum relay_drain *how = arg;
	struct waiter *waiter;

	if (*how == RELAY_DRAIN_MOVE) {
		pass_later(cx);
		return;
	}
	for (waiter = local_of(cx)->here; waiter; waiter = waiter->here_next) {
		struct relay_conn *conn =
			relay_conn_find(cx, waiter->place.conn);

		if (conn)
			set_deadline(cx, conn, waiter, *how);
	}
}

void drain_waits(struct relay_ctx *cx, struct relay_conn *conn)
{
	enum relay_drain how = relay_draining();

	if (how == RELAY_DRAIN_LEAVE)
		set_deadline(cx, conn, client_of(cx, conn)->waiter, how);
	else if (how == RELAY_DRAIN_MOVE && !pass_on(cx, conn))
		pass_later(cx);
}

int64_t drain_notice(struct relay_ctx *cx, enum relay_drain how)
{
	struct data *data = data_of(cx);
	bool told = true;

	/* A worker may have had no memory for what it was told. */
	for (int i = 0; (how != data->drain || how == RELAY_DRAIN_MOVE) &&
			i < relay_worker_count();
		i++)
		told &= relay_post(cx, i, on_drain, &how, sizeof(how)) == 0;
	/* Without memory: with the next notice. */
	if (told)
		data->drain = how;
	return how == RELAY_DRAIN_NONE ? 0 : atomic_load(&data->unfinished);
}
