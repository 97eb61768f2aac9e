/* SPDX-License-Identifier: MPL-2.0 */

/* Limits for sessions, in total and per device. */

#include "bounds.h"

bool devices_all_full(struct relay_ctx *cx)
{
	const struct conf *conf = cx->conf;
	struct data *data = cx->data;

	return conf->sessions && data->sessions >= conf->sessions;
}

bool devices_full(struct relay_ctx *cx, const uint8_t *id)
{
	const struct conf *conf = cx->conf;
	struct data *data = cx->data;
	int64_t most = conf->sessions_per_device;

	return id && most &&
	       ledger_taken(&data->devices, id, COUNT_SESSIONS) >= most;
}

enum relay_verdict devices_open(struct relay_ctx *cx,
	struct relay_session *session, struct relay_denial *why)
{
	struct data *data = cx->data;
	const struct conf *conf = cx->conf;
	struct meeting *meeting = relay_session_data(cx, session);

	meeting->counted = true;
	if (++data->sessions > conf->sessions && conf->sessions)
		return bounds_refuse(cx, BOUND_SESSIONS, NULL, why);
	for (int side = 0; side < 2; side++) {
		const struct relay_conn *conn =
			relay_session_side(session, side);
		const uint8_t *id = relay_conn_peer(conn);

		if (!id)
			continue;
		meeting->device[side] =
			ledger_take(&data->devices, id, COUNT_SESSIONS,
				conf->sessions_per_device, relay_now_ms(cx));
		if (!meeting->device[side])
			return bounds_refuse(cx, BOUND_DEVICE, conn, why);
	}
	return RELAY_PASS;
}

void devices_close(struct relay_ctx *cx, struct relay_session *session,
	enum relay_reason reason)
{
	struct data *data = cx->data;
	struct meeting *meeting = relay_session_data(cx, session);

	(void)reason;
	if (!meeting || !meeting->counted)
		return;
	data->sessions--;
	for (int side = 0; side < 2; side++)
		ledger_give(&data->devices, meeting->device[side],
			COUNT_SESSIONS, relay_now_ms(cx));
}
