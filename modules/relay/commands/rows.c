/* SPDX-License-Identifier: MPL-2.0 */

/* Looks at a device or a session, on its worker. */

#include <string.h>

#include "relay/commands/rows.h"
#include "relay/data.h"
#include "relay/devices/device.h"
#include "relay/sessions/session_data.h"

/* A rate over a shorter time says little. */
#define RATE_MS 1000

bool device_row_fill(struct relay_ctx *cx, const struct target *target,
	struct device_row *row)
{
	const struct place place = {
		.worker = cx->worker, .conn = target->number};
	const struct relay_conn *conn =
		device_find(cx, target->id, place, PEER_JOINED);
	const struct peer *peer = conn ? peer_of(cx, conn) : NULL;
	int64_t now = relay_now_ms(cx);

	if (!peer)
		return false;
	*row = (struct device_row){.worker = cx->worker,
		.conn = target->number,
		.age_ms = now - peer->opened_ms,
		.idle_ms = now - peer->heard_ms};
	memcpy(row->id, target->id, ID_LEN);
	(void)relay_conn_addr_text(conn, row->address);
	return true;
}

/* Bytes per second since the last time, or since the session's begin. */
static int64_t rate_of(struct session_data *data, int64_t bytes, int64_t now)
{
	int64_t since = data->seen_ms ? data->seen_ms : data->began_ms;
	int64_t ms = now - since;

	if (ms < RATE_MS)
		return data->seen_ms ? data->seen_rate
				     : bytes * 1000 / (ms > 0 ? ms : 1);
	data->seen_rate = (bytes - data->seen_bytes) * 1000 / ms;
	data->seen_ms = now;
	data->seen_bytes = bytes;
	return data->seen_rate;
}

bool session_row_fill(struct relay_ctx *cx, struct relay_session *session,
	struct session_row *row)
{
	struct session_data *data =
		session ? relay_session_data(cx, session) : NULL;
	int64_t now = relay_now_ms(cx);

	if (!data)
		return false;
	*row = (struct session_row){.worker = data->place.worker,
		.session = data->place.session,
		.protocol = relay_session_protocol(session),
		.age_ms = now - data->began_ms,
		.idle_ms = relay_session_idle_for(session)};
	for (int side = 0; side < 2; side++) {
		const struct relay_conn *conn =
			relay_session_side(session, side);
		const uint8_t *id = relay_conn_peer(conn);

		row->known[side] = id != NULL;
		if (id)
			memcpy(row->id[side], id, ID_LEN);
		row->bytes[side] = (int64_t)relay_session_passed(session, side);
		(void)relay_conn_addr_text(conn, row->address[side]);
	}
	row->rate = rate_of(data, row->bytes[0] + row->bytes[1], now);
	return true;
}
