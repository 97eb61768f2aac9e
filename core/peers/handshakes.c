/* SPDX-License-Identifier: MPL-2.0 */

/* Handshakes: the share of a worker's time that they may take. */

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include "peers/conn.h"
#include "peers/conn_hello.h"
#include "tls/tls_failure.h"
#include "peers/handshakes.h"
#include "peers/turn.h"

/* At most so long before the sockets are looked at again. */
#define SHARE_US 2000
/* Without a line, turns are not counted: then so long stands for one. */
#define SPAN_US 4000
/*
 * Clients give up after 10 s.  Who waited nearly that long will not stay until
 * the end; the time is better spent on the next one.
 */
#define PATIENCE_US 8000000

/* Whoever will send nothing more cannot end a handshake that we have not
 * begun.  An event may have told it, or not yet. */
static bool has_gone(struct relay_conn *conn, bool waited)
{
	struct pollfd at = {.fd = conn->fd, .events = POLLRDHUP};

	if (conn->hung_up || (waited && poll(&at, 1, 0) == 1))
		conn->at_eof = true;
	return conn->at_eof;
}

/* One step, whose time is counted; returns the time after it. */
static int64_t step(struct relay_conn *conn, int64_t now_us, bool waited)
{
	struct handshakes *all = &conn->worker->handshakes;
	int64_t after_us;

	if (conn->ssl)
		conn_handshake(conn);
	else if (has_gone(conn, waited))
		conn_handshake_failed(
			conn, TLS_FAILURE_CLOSED, RELAY_END_EOF, "closed");
	else if (now_us - conn->opened_us > PATIENCE_US)
		conn_handshake_failed(conn, TLS_FAILURE_LATE, RELAY_END_TIMEOUT,
			"too many handshakes before it");
	else
		conn_handshake(conn);
	after_us = loop_clock_us();
	all->spent_us += after_us - now_us;
	return after_us;
}

void handshakes_step(struct relay_conn *conn)
{
	struct worker *worker = conn->worker;
	struct handshakes *all = &worker->handshakes;
	int64_t now_us = loop_clock_us();

	if (strangers_waits(conn))
		return;
	if (!conn->ssl)
		conn->opened_us = now_us;
	if (now_us - all->since_us > SPAN_US) {
		all->since_us = now_us;
		all->spent_us = 0;
	}
	if ((all->spent_us < SHARE_US && worker->strangers.waiting == 0) ||
		(!conn->ssl && conn->hung_up)) {
		step(conn, now_us, false);
		return;
	}
	strangers_wait(&worker->strangers, conn,
		conn->ssl ? STRANGER_BEGUN : STRANGER_FRESH, now_us / 1000);
	turn_arm(worker);
}

void handshakes_later(struct relay_conn *conn)
{
	struct worker *worker = conn->worker;

	strangers_wait(&worker->strangers, conn, STRANGER_BEGUN,
		worker->handshakes.since_us / 1000);
	turn_arm(worker);
}

bool handshakes_run(struct worker *worker)
{
	struct handshakes *all = &worker->handshakes;
	struct strangers *strangers = &worker->strangers;
	int64_t now_us;

	if (strangers->waiting == 0)
		return false;
	now_us = loop_clock_us();
	all->since_us = now_us;
	all->spent_us = 0;
	while (all->spent_us < SHARE_US) {
		struct relay_conn *conn =
			strangers_next(strangers, now_us / 1000);

		if (!conn)
			break;
		now_us = step(conn, now_us, true);
	}
	return strangers->waiting > 0;
}
