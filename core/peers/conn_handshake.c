/* SPDX-License-Identifier: MPL-2.0 */

/* Connections: one step of a TLS handshake. */

#include <openssl/err.h>

#include "loop/heap_trim.h"
#include "net/socket_memory.h"
#include "peers/peer_metrics.h"
#include "peers/conn_end.h"
#include "peers/conn_handshake.h"
#include "peers/conn_hello.h"
#include "peers/conn_io.h"
#include "peers/conn_open.h"
#include "peers/conn_state.h"
#include "peers/peers_state.h"
#include "tls/tls.h"
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

bool conn_handshake(struct relay_conn *conn)
{
	int done, error;
	bool cut;

	if (!conn->ssl)
		conn->ssl = tls_accept(peers_of(conn->worker)->tls_io);
	if (!conn->ssl) {
		conn_end(conn, RELAY_END_ERROR);
		return false;
	}
	ERR_clear_error();
	tls_step_begin();
	done = SSL_do_handshake(conn_tls(conn));
	cut = tls_step_end();
	if (done != 1) {
		error = SSL_get_error(conn->ssl, done);
		if (error != SSL_ERROR_WANT_READ &&
			error != SSL_ERROR_WANT_WRITE)
			handshake_failed(conn, error);
		else
			return cut && conn_hello_more(conn);
		return false;
	}
	heap_trim_note();
	/* Only connections without TLS carry sessions. */
	(void)socket_memory_messages(conn->fd);
	peer_count(conn->worker->shard, PEER_HANDSHAKES, PEER_HANDSHAKE_OK, 1);
	peer_observe(conn->worker->shard, PEER_HANDSHAKE_DURATION, 0,
		loop_clock_us() - conn->opened_us);
	conn->certs = (uint8_t)tls_take_peer(conn->ssl, conn->peer);
	conn_open(conn);
	return false;
}
