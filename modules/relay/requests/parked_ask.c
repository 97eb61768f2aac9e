/* SPDX-License-Identifier: MPL-2.0 */

#include <string.h>

#include "relay/data.h"
#include "relay/messages/peer_connection.h"
#include "relay/metrics_table.h"
#include "relay/requests/parked_ask.h"
#include "shared/exempt.h"

bool parked_ask_wanted(struct relay_ctx *cx, const uint8_t *id)
{
	return conf_of(cx)->park_asks_ms > 0 &&
	       relay_draining() != RELAY_DRAIN_MOVE &&
	       (relay_uptime_ms() < PARKING_EXPECTED_MS ||
		       parking_expects(
			       &data_of(cx)->parking, id, relay_now_ms(cx)));
}

static void on_given_up(struct relay_ctx *cx, const void *arg);

bool parked_ask_begin(struct relay_ctx *cx, struct relay_conn *conn,
	const uint8_t *id, parked_ask_fn *go_on)
{
	struct relay_data *data = data_of(cx);
	struct peer *peer = peer_of(cx, conn);
	struct source source;
	struct place lost;

	pthread_mutex_lock(&data->lock);
	exempt_source(&data->exempt, conn, &source);
	pthread_mutex_unlock(&data->lock);
	peer->parked = parking_add(
		&data->parking, id, &source, place_of(cx, conn), &lost);
	/* If memory is short, its time decides. */
	if (lost.conn)
		(void)relay_post(cx, lost.worker, on_given_up, &lost.conn,
			sizeof(lost.conn));
	if (!peer->parked) {
		count(cx, METRIC_PARKED, PARKED_REFUSED);
		return false;
	}
	peer->go_on = go_on;
	peer->deciding = true;
	relay_conn_waits(conn, true);
	peer_log(cx, conn, "requests a device that may come back: waits");
	relay_conn_deadline(conn, conf_of(cx)->park_asks_ms);
	return true;
}

/* It is not parked any more. */
static void end(
	struct relay_ctx *cx, struct relay_conn *conn, enum parked_end result)
{
	struct peer *peer = peer_of(cx, conn);

	parking_remove(&data_of(cx)->parking, peer->parked);
	peer->parked = NULL;
	peer->deciding = false;
	relay_conn_waits(conn, false);
	count(cx, METRIC_PARKED, result);
}

static void go_on(
	struct relay_ctx *cx, struct relay_conn *conn, enum parked_end result)
{
	struct peer *peer = peer_of(cx, conn);
	uint8_t id[ID_LEN];

	memcpy(id, parked_id(peer->parked), ID_LEN);
	end(cx, conn, result);
	peer->go_on(cx, conn, id);
}

/* NULL: it has ended, or does not wait any more. */
static struct relay_conn *find(struct relay_ctx *cx, uint64_t id)
{
	struct relay_conn *conn = relay_conn_find(cx, id);
	const struct peer *peer = conn ? peer_of(cx, conn) : NULL;

	return peer && relay_conn_is_tls(conn) && peer->parked ? conn : NULL;
}

/* `arg`: the id of a connection of this worker. */
static void go_on_by_id(
	struct relay_ctx *cx, const void *arg, enum parked_end result)
{
	const uint64_t *id = arg;
	struct relay_conn *conn = find(cx, *id);

	if (conn)
		go_on(cx, conn, result);
}

/* To the worker of a connection whose place another one has got. */
static void on_given_up(struct relay_ctx *cx, const void *arg)
{
	go_on_by_id(cx, arg, PARKED_REFUSED);
}

void parked_ask_due(struct relay_ctx *cx, struct relay_conn *conn)
{
	go_on(cx, conn, PARKED_IN_VAIN);
}

void parked_ask_now(struct relay_ctx *cx, struct relay_conn *conn)
{
	go_on(cx, conn, PARKED_ANSWERED);
}

void parked_ask_closed(struct relay_ctx *cx, struct relay_conn *conn)
{
	if (peer_of(cx, conn)->parked)
		end(cx, conn, PARKED_LEFT);
}

/* To the worker of a connection that waits for the device. */
struct arrival {
	uint8_t id[ID_LEN];
	uint64_t conn;
};

static void on_arrival(struct relay_ctx *cx, const void *arg)
{
	const struct arrival *arrival = arg;
	struct relay_conn *conn = find(cx, arrival->conn);

	if (conn && memcmp(parked_id(peer_of(cx, conn)->parked), arrival->id,
			    ID_LEN) == 0)
		parked_ask_now(cx, conn);
}

struct telling {
	struct relay_ctx *cx;
	const uint8_t *id;
};

static void tell(struct place asker, void *arg)
{
	const struct telling *telling = arg;
	struct arrival arrival = {.conn = asker.conn};

	memcpy(arrival.id, telling->id, ID_LEN);
	/* If memory is short, its time decides. */
	(void)relay_post(telling->cx, asker.worker, on_arrival, &arrival,
		sizeof(arrival));
}

void parked_ask_arrived(struct relay_ctx *cx, const uint8_t *id)
{
	struct telling telling = {cx, id};

	parking_each(&data_of(cx)->parking, id, tell, &telling);
}

/* To the worker of a connection that waits in vain. */
static void on_moved(struct relay_ctx *cx, const void *arg)
{
	go_on_by_id(cx, arg, PARKED_IN_VAIN);
}

static void tell_moved(struct place asker, void *arg)
{
	struct relay_ctx *cx = arg;

	/* If memory is short, its time decides. */
	(void)relay_post(
		cx, asker.worker, on_moved, &asker.conn, sizeof(asker.conn));
}

void parked_ask_moved(struct relay_ctx *cx)
{
	parking_all(&data_of(cx)->parking, tell_moved, cx);
}

void parked_ask_expect(struct relay_ctx *cx, const uint8_t *id)
{
	if (conf_of(cx)->park_asks_ms > 0)
		parking_expect(&data_of(cx)->parking, id, relay_now_ms(cx));
}
