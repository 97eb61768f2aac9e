/* SPDX-License-Identifier: MPL-2.0 */

#include "relay/messages/peer_connection.h"
#include "relay/sessions/waiting_half.h"

/* Runs on the half's worker: the other side failed, or will not connect. */
static void on_alone(struct relay_ctx *cx, const void *arg)
{
	const uint64_t *id = arg;
	struct relay_conn *conn = relay_conn_find(cx, *id);

	if (conn && peer_of(cx, conn)->state == PEER_HALF)
		peer_close(cx, conn, RELAY_END_PEER_LOST);
}

void waiting_half_close(struct relay_ctx *cx, struct place half)
{
	/* If memory is short, the half ends by its deadline. */
	if (half.conn)
		relay_post(cx, half.worker, on_alone, &half.conn,
			sizeof(half.conn));
}
