/* SPDX-License-Identifier: MPL-2.0 */

/* Connections that are read again in the next iteration of the loop. */

#include "peers/conn_again.h"
#include "peers/conn_state.h"
#include "peers/peers_state.h"
#include "workers/deferred.h"

void conn_again_add(struct relay_conn *conn)
{
	struct peers *peers = peers_of(conn->worker);

	if (conn->again)
		return;
	conn->again = true;
	conn->again_next = peers->again;
	peers->again = conn;
	deferred_arm(conn->worker);
}
