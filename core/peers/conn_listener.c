/* SPDX-License-Identifier: MPL-2.0 */

/* What modules may know of the listener of a connection. */

#include <strelaysrv/listener.h>
#include <strelaysrv/server.h>

#include "peers/conn_state.h"
#include "peers/listener_facts.h"

const char *relay_conn_listener(const struct relay_conn *conn)
{
	return conn->facts ? conn->facts->name : "";
}

const char *relay_conn_protocol(const struct relay_conn *conn)
{
	return conn->facts ? conn->facts->protocol : "";
}

bool relay_conn_private(const struct relay_conn *conn)
{
	return conn->facts && conn->facts->guarded;
}

/* How many settled connections its listener has room for; negative: it has too
 * many. */
static int64_t room_of(const struct relay_conn *conn)
{
	const struct listener_tally *tally;
	int64_t limit;

	if (!conn->facts)
		return INT64_MAX;
	tally = conn->facts->tally;
	limit = atomic_load_explicit(&tally->limit, memory_order_relaxed);
	return limit ? limit - atomic_load_explicit(
				       &tally->settled, memory_order_relaxed)
		     : INT64_MAX;
}

bool relay_conn_at_limit(const struct relay_conn *conn)
{
	return relay_at_limit() || room_of(conn) <= 0;
}

bool relay_conn_over_limit(const struct relay_conn *conn)
{
	return relay_over_limit() || room_of(conn) < 0;
}
