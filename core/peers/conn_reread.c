/* SPDX-License-Identifier: MPL-2.0 */

/* Connections that are read again in the next iteration of the loop. */

#include "peers/conn_reread.h"
#include "peers/conn_state.h"
#include "peers/peers_state.h"
#include "workers/deferred.h"

void conn_reread_add(struct relay_conn *conn)
{
	struct peers *peers = peers_of(conn->worker);

	if (conn->reread)
		return;
	conn->reread = true;
	conn->reread_next = peers->reread;
	peers->reread = conn;
	deferred_arm(conn->worker);
}
