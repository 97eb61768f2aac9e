/* SPDX-License-Identifier: MPL-2.0 */

/* Counts records without data in each minute. */

#include <stdint.h>

#include <strelaysrv/log.h>

#include "peers/conn_quiet.h"
#include "peers/conn_state.h"
#include "peers/peers_shared.h"

bool conn_quiet_too_often(struct relay_conn *conn)
{
	uint16_t minute = (uint16_t)(conn->worker->loop.turn_ms / 60000);

	if (minute != conn->quiet_minute) {
		conn->quiet_minute = minute;
		conn->quiet = 0;
	}
	if (conn->quiet++ < CONN_QUIET_MOST)
		return false;
	relay_log_seldom(NULL, RELAY_NOTICE, &peers_shared()->quiet_records,
		"ended a connection: too many TLS records without data");
	return true;
}
