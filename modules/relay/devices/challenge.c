/* SPDX-License-Identifier: MPL-2.0 */

#include <string.h>

#include "relay/data.h"
#include "relay/devices/challenge.h"
#include "relay/devices/device.h"
#include "relay/messages/peer_connection.h"
#include "relay/metrics_table.h"

/* What one thread tells another about an ID and one of its connections. */
struct device_news {
	uint8_t id[ID_LEN];
	struct place place;
};

static void tell(struct relay_ctx *cx, relay_post_fn *fn, const uint8_t *id,
	struct place place)
{
	struct device_news news = {.place = place};

	memcpy(news.id, id, ID_LEN);
	if (relay_post(cx, place.worker, fn, &news, sizeof(news)) != 0)
		relay_log(cx, RELAY_ERROR,
			"no memory to tell another worker of a device");
}

/* To the waiting connection: it is the owner now. */
static void on_won(struct relay_ctx *cx, const void *arg)
{
	const struct device_news *news = arg;
	struct relay_conn *conn =
		device_find(cx, news->id, news->place, PEER_WAITING);

	if (conn)
		device_joined(cx, conn);
}

/* To the waiting connection: the owner is alive. */
static void on_lost(struct relay_ctx *cx, const void *arg)
{
	const struct device_news *news = arg;
	struct relay_conn *conn =
		device_find(cx, news->id, news->place, PEER_WAITING);

	if (!conn)
		return;
	count(cx, METRIC_JOINS, RESULT_ALREADY_JOINED);
	peer_log(cx, conn, "refused: its device has joined already");
	peer_respond(cx, conn, FRAME_ALREADY_CONNECTED);
}

/* To the owner: another connection has the same ID; check that it is alive. */
static void on_probe(struct relay_ctx *cx, const void *arg)
{
	const struct device_news *news = arg;
	struct relay_conn *conn = device_owner(cx, news->id, news->place);
	struct peer *peer;

	/* If it has ended, the waiting connection has become the owner. */
	if (!conn)
		return;
	peer = peer_of(cx, conn);
	if (!peer->probe_ms)
		peer->probe_ms = relay_now_ms(cx) + PROBE_MS;
	if (peer_ping(cx, conn))
		device_set_deadline(cx, conn);
}

void challenge_answered(struct relay_ctx *cx, struct relay_conn *conn)
{
	const uint8_t *id = relay_conn_peer(conn);
	struct place loser = directory_defend(
		&data_of(cx)->directory, id, place_of(cx, conn));

	peer_of(cx, conn)->probe_ms = 0;
	if (loser.conn)
		tell(cx, on_lost, id, loser);
}

void challenge_begin(
	struct relay_ctx *cx, const uint8_t *id, struct place owner)
{
	tell(cx, on_probe, id, owner);
}

void challenge_won(
	struct relay_ctx *cx, const uint8_t *id, struct place successor)
{
	tell(cx, on_won, id, successor);
}
