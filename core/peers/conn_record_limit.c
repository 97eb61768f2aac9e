/* SPDX-License-Identifier: MPL-2.0 */

/* Counts records without data in each minute. */

#include <stdint.h>

#include <strelaysrv/log.h>

#include "peers/conn_record_limit.h"
#include "peers/conn_state.h"
#include "peers/peers_shared.h"

bool conn_record_limit_reached(struct relay_conn *conn)
{
	uint16_t minute = (uint16_t)(conn->worker->loop.turn_ms / 60000);

	if (minute != conn->dataless_minute) {
		conn->dataless_minute = minute;
		conn->dataless = 0;
	}
	if (conn->dataless++ < CONN_RECORD_LIMIT)
		return false;
	relay_log_seldom(NULL, RELAY_NOTICE, &peers_shared()->dataless_records,
		"ended a connection: too many TLS records without data");
	return true;
}
