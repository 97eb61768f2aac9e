/* SPDX-License-Identifier: MPL-2.0 */

/* Looks at a ClientHello in the socket, before OpenSSL may read it. */

#include <errno.h>
#include <sys/socket.h>

#include <openssl/ssl3.h>
#include <openssl/tls1.h>

#include "log/log.h"
#include "peers/conn_end.h"
#include "peers/conn_hello.h"
#include "peers/conn_state.h"
#include "peers/peer_metrics.h"
#include "peers/peers_shared.h"
#include "peers/stranger_queue.h"
#include "tls/tls_conn.h"
#include "tls/tls_failure.h"
#include "tls/tls_hello.h"

/* Warns of a handshake that no real device attempts: it may be an attack. */
static void tell(const char *why)
{
	relay_log_seldom(NULL, RELAY_NOTICE, &peers_shared()->bad_handshakes,
		"refused a TLS handshake: %s", why);
}

void conn_handshake_failed(struct relay_conn *conn, enum tls_failure kind,
	enum relay_reason reason, const char *why)
{
	struct metrics_shard *shard = conn->worker->shard;

	peer_count(shard, PEER_HANDSHAKES, PEER_HANDSHAKE_FAILED, 1);
	peer_count(shard, PEER_HANDSHAKE_FAILURES, kind, 1);
	if (kind == TLS_FAILURE_HELLO || kind == TLS_FAILURE_CERTIFICATE)
		tell(why);
	/* Addresses of peers are personal data: they are shown at debug only.
	 */
	if (relay_log_wanted(RELAY_DEBUG)) {
		char addr[RELAY_ADDR_TEXT];
		struct relay_field fields[] = {
			{"peer", relay_conn_addr_text(conn, addr)},
			{"why", why}, {NULL, NULL}};

		log_core_fields(RELAY_DEBUG, fields, "TLS handshake failed");
	}
	conn->wrote = true; /* an alert was sent */
	conn_end(conn, reason);
}

/* Sends an alert (RFC 8446, 6) in plain text: nothing is encrypted yet. */
static void send_alert(const struct relay_conn *conn, unsigned char what)
{
	const unsigned char alert[] = {SSL3_RT_ALERT, TLS1_2_VERSION_MAJOR,
		TLS1_2_VERSION_MINOR, 0, 2, SSL3_AL_FATAL, what};

	/* If the socket has no room for it, the peer does not read. */
	(void)send(conn->fd, alert, sizeof(alert), MSG_NOSIGNAL);
}

static void closed(struct relay_conn *conn, ssize_t got)
{
	if (got >= 0) {
		conn->at_eof = true;
		conn_handshake_failed(
			conn, TLS_FAILURE_CLOSED, RELAY_END_EOF, "closed");
	} else if (errno != EAGAIN && errno != EINTR) {
		conn_handshake_failed(
			conn, TLS_FAILURE_CLOSED, RELAY_END_RESET, "closed");
	}
}

bool conn_hello_ready(struct relay_conn *conn)
{
	unsigned char bytes[TLS_HELLO_ROOM];
	ssize_t got;

	/* Its handshake waits for a time slice; its ClientHello is complete, or
	 * was read. */
	if (stranger_queue_has(conn))
		return false;
	if (conn->tls && !tls_conn_awaits_hello(conn->tls))
		return true;
	got = recv(conn->fd, bytes, sizeof(bytes), MSG_PEEK);
	if (got <= 0) {
		closed(conn, got);
		return false;
	}
	switch (tls_hello_look(bytes, (size_t)got)) {
	case TLS_HELLO_READY:
		return true;
	case TLS_HELLO_PART:
		if (conn->hung_up)
			closed(conn, 0);
		break;
	case TLS_HELLO_LONG:
		send_alert(conn, SSL_AD_ILLEGAL_PARAMETER);
		conn_handshake_failed(conn, TLS_FAILURE_HELLO, RELAY_END_TLS,
			"its ClientHello is too long");
		break;
	case TLS_HELLO_OTHER:
		send_alert(conn, SSL_AD_UNEXPECTED_MESSAGE);
		conn_handshake_failed(conn, TLS_FAILURE_OTHER, RELAY_END_TLS,
			"no ClientHello");
		break;
	}
	return false;
}

bool conn_hello_more(struct relay_conn *conn)
{
	unsigned char byte;

	if (recv(conn->fd, &byte, 1, MSG_PEEK) < 0 && errno == EAGAIN)
		return false;
	return conn_hello_ready(conn);
}
