/* SPDX-License-Identifier: MPL-2.0 */

/* Connections: one step of a TLS handshake. */

#include <openssl/err.h>

#include "loop/heap_trim.h"
#include "net/socket_memory.h"
#include "peers/peer_metrics.h"
#include "peers/conn_end.h"
#include "peers/conn_handshake.h"
#include "peers/conn_hello.h"
#include "peers/conn_open.h"
#include "peers/conn_state.h"
#include "peers/peers_state.h"
#include "tls/tls_conn.h"
#include "tls/tls_failure.h"
#include "tls/tls_step.h"

static void handshake_failed(struct relay_conn *conn, int error)
{
	unsigned long code = ERR_peek_error();
	const char *text = ERR_reason_error_string(code);
	enum tls_failure kind = tls_failure(error, code);

	if (tls_step_refused(&kind))
		text = kind == TLS_FAILURE_HELLO
			       ? "its ClientHello has too many key shares"
			       : "its certificate costs too much";
	conn->at_eof = kind == TLS_FAILURE_CLOSED;
	conn_handshake_failed(conn, kind,
		conn->at_eof ? RELAY_END_EOF : RELAY_END_TLS,
		text ? text : "closed");
}

/* One step.  Returns TLS_HANDSHAKE_WAITS also if it was cut short, and then
 * sets *cut. */
static enum tls_handshake step(struct relay_conn *conn, int *error, bool *cut)
{
	enum tls_handshake done;

	tls_step_begin();
	done = tls_conn_handshake(conn->tls, conn->fd, error);
	*cut = tls_step_end();
	return done;
}

static void handshake_done(struct relay_conn *conn)
{
	struct metrics_shard *shard = conn->worker->shard;

	/* Only connections without TLS carry sessions. */
	(void)socket_memory_messages(conn->fd);
	peer_count(shard, PEER_HANDSHAKES, PEER_HANDSHAKE_OK, 1);
	peer_observe(shard, PEER_HANDSHAKE_DURATION, 0,
		loop_clock_us() - conn->opened_us);
	conn->certs = (uint8_t)tls_conn_take_peer(conn->tls, conn->peer);
	peer_count(
		shard, PEER_TLS_DETACHED, 0, tls_conn_is_detached(conn->tls));
	heap_trim_note();
	conn_open(conn);
}

bool conn_handshake(struct relay_conn *conn)
{
	int error;
	bool cut;

	if (!conn->tls)
		conn->tls = tls_conn_accept(peers_of(conn->worker)->tls_io);
	if (!conn->tls) {
		conn_end(conn, RELAY_END_ERROR);
		return false;
	}
	switch (step(conn, &error, &cut)) {
	case TLS_HANDSHAKE_DONE:
		handshake_done(conn);
		break;
	case TLS_HANDSHAKE_WAITS:
		return cut && conn_hello_more(conn);
	case TLS_HANDSHAKE_FAILED:
		handshake_failed(conn, error);
		break;
	}
	return false;
}
