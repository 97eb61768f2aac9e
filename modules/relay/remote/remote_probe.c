/* SPDX-License-Identifier: MPL-2.0 */

/* Signs of life of joined connections, for other relays. */

#include <stdlib.h>
#include <string.h>

#include "relay/data.h"
#include "relay/devices/challenge.h"
#include "relay/devices/device.h"
#include "relay/messages/peer_connection.h"
#include "relay/metrics_table.h"
#include "relay/remote/remote_probe.h"

/* On its way to the connection's worker. */
struct order {
	struct remote_to to;
	struct remote_conn conn;
};

/* A question that waits for its answer. */
struct waiting {
	struct waiting *next;
	struct order order;
};

/* All questions about one connection; a device has one that has joined. */
struct remote_probe {
	UT_hash_handle hh;
	uint8_t id[ID_LEN];
	uint64_t conn;
	int64_t due_ms;
	struct waiting *waiting; /* owned */
};

static struct remote_probes *probes_of(struct relay_ctx *cx)
{
	struct relay_local *local = cx->local;

	return &local->probes;
}

static void reply(struct relay_ctx *cx, const struct order *order, bool alive)
{
	struct remote_conn answer = order->conn;

	answer.alive = alive;
	remote_answer_probe(cx, &order->to, &answer);
}

static struct remote_probe *find(struct relay_ctx *cx, const uint8_t *id)
{
	struct remote_probe *probe;

	HASH_FIND(hh, probes_of(cx)->by_id, id, ID_LEN, probe);
	return probe;
}

/* Without an answer if `answers` is false. */
static void end_probe(struct relay_ctx *cx, struct remote_probe *probe,
	bool answers, bool alive)
{
	HASH_DEL(probes_of(cx)->by_id, probe);
	while (probe->waiting) {
		struct waiting *waiting = probe->waiting;

		probe->waiting = waiting->next;
		if (answers)
			reply(cx, &waiting->order, alive);
		free(waiting);
	}
	free(probe);
}

/* The connection stays: who asks decides. */
static int64_t look(struct relay_ctx *cx, void *arg)
{
	struct remote_probes *probes = arg;
	int64_t now = relay_now_ms(cx);

	while (probes->by_id && probes->by_id->due_ms <= now) {
		struct remote_probe *probe = probes->by_id;
		struct relay_conn *conn = relay_conn_find(cx, probe->conn);

		if (conn)
			peer_of(cx, conn)->probed = false;
		end_probe(cx, probe, true, false);
	}
	if (probes->by_id)
		return probes->by_id->due_ms - now;
	probes->timer = NULL;
	return 0;
}

static struct remote_probe *find_or_make(
	struct relay_ctx *cx, const struct remote_conn *of)
{
	struct remote_probes *probes = probes_of(cx);
	struct remote_probe *probe = find(cx, of->id);

	if (probe)
		return probe;
	if (!probes->timer)
		probes->timer = relay_timer_add(cx, PROBE_MS, look, probes);
	probe = probes->timer ? calloc(1, sizeof(*probe)) : NULL;
	if (!probe)
		return NULL;
	memcpy(probe->id, of->id, ID_LEN);
	probe->conn = of->conn;
	probe->due_ms = relay_now_ms(cx) + PROBE_MS;
	HASH_ADD_KEYPTR(hh, probes->by_id, probe->id, ID_LEN, probe);
	if (probe->hh.tbl) /* uthash: NULL if out of memory */
		return probe;
	free(probe);
	return NULL;
}

/* Remembers the question.  0, or -1 without memory. */
static int add(struct relay_ctx *cx, const struct order *order)
{
	struct waiting *waiting = malloc(sizeof(*waiting));
	struct remote_probe *probe =
		waiting ? find_or_make(cx, &order->conn) : NULL;

	if (!probe) {
		free(waiting);
		return -1;
	}
	*waiting = (struct waiting){.next = probe->waiting, .order = *order};
	probe->waiting = waiting;
	return 0;
}

static struct relay_conn *conn_of(
	struct relay_ctx *cx, const struct remote_conn *of)
{
	const struct place place = {.worker = cx->worker, .conn = of->conn};

	return device_owner(cx, of->id, place);
}

static void on_probe(struct relay_ctx *cx, const void *arg)
{
	const struct order *order = arg;
	struct relay_conn *conn = conn_of(cx, &order->conn);
	bool asked = conn && peer_of(cx, conn)->probed;

	if (!conn) {
		reply(cx, order, false);
		return;
	}
	if (add(cx, order) != 0) {
		remote_answer_lost(cx, "to ask a device for a sign of life");
		return;
	}
	peer_of(cx, conn)->probed = true;
	if (!asked)
		(void)peer_ping(cx, conn);
}

int remote_probe_begin(struct relay_ctx *self, const struct remote_to *to,
	const struct remote_conn *conn)
{
	const struct order order = {.to = *to, .conn = *conn};

	return relay_post(self, conn->worker, on_probe, &order, sizeof(order));
}

static void over(struct relay_ctx *cx, struct relay_conn *conn, bool alive)
{
	struct remote_probe *probe = find(cx, relay_conn_peer(conn));

	peer_of(cx, conn)->probed = false;
	if (probe)
		end_probe(cx, probe, true, alive);
}

void remote_probe_answered(struct relay_ctx *cx, struct relay_conn *conn)
{
	over(cx, conn, true);
}

void remote_probe_closed(struct relay_ctx *cx, struct relay_conn *conn)
{
	if (peer_of(cx, conn)->probed)
		over(cx, conn, false);
}

void remote_probe_finish(struct relay_ctx *cx)
{
	struct remote_probes *probes = probes_of(cx);

	while (probes->by_id)
		end_probe(cx, probes->by_id, false, false);
}

static void on_end(struct relay_ctx *cx, const void *arg)
{
	const struct remote_conn *of = arg;
	struct relay_conn *conn = conn_of(cx, of);

	if (!conn)
		return;
	count(cx, METRIC_REPLACED, 0);
	peer_log(cx, conn, "replaced by a connection at another relay");
	peer_of(cx, conn)->keeps_sessions = of->alive;
	peer_close(cx, conn, RELAY_END_REPLACED);
}

int remote_conn_end(struct relay_ctx *self, const struct remote_conn *conn)
{
	return relay_post(self, conn->worker, on_end, conn, sizeof(*conn));
}
