/* SPDX-License-Identifier: MPL-2.0 */

/* Connections: finds the module that serves one. */

#include <strelaysrv/listener.h>

#include "log/log.h"
#include "peers/peer_metrics.h"
#include "peers/conn_end.h"
#include "peers/conn_open.h"
#include "peers/conn_state.h"

void conn_refused(struct relay_conn *conn, const struct relay_denial *why)
{
	char addr[RELAY_ADDR_TEXT];
	struct relay_field fields[] = {
		{"peer", addr}, {"why", why->word}, {NULL, NULL}};

	peer_count(conn->worker->shard, PEER_CONNECTIONS_REFUSED,
		PEER_REFUSED_FILTER, 1);
	if (!relay_log_wanted(RELAY_DEBUG))
		return;
	relay_conn_addr_text(conn, addr);
	log_core_fields(RELAY_DEBUG, fields, "refused a connection");
}

void conn_open(struct relay_conn *conn)
{
	struct worker *worker = conn->worker;
	struct relay_denial why = {RELAY_REFUSE_POLICY, "nobody"};
	enum relay_verdict verdict;

	conn->owner = NULL;
	verdict = hooks_conn_open(worker->hooks, conn,
		relay_conn_protocol(conn), &why, &conn->owner);
	if (conn->phase > CONN_TAKEN)
		return;
	peer_count(worker->shard, PEER_CONNECTIONS, PEER_CONN_OPENING, -1);
	peer_count(worker->shard, PEER_CONNECTIONS,
		conn->tls ? PEER_CONN_TLS : PEER_CONN_PLAIN, 1);
	conn->phase = CONN_TAKEN;
	if (verdict != RELAY_TAKE) {
		conn_refused(conn, &why);
		conn_end(conn, RELAY_END_DENIED);
		return;
	}
	hooks_conn_readable(conn->owner, conn);
}
