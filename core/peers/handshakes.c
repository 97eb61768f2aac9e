/* SPDX-License-Identifier: MPL-2.0 */

/* Handshakes: limits the worker's time that they take. */

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include "tls/tls_failure.h"
#include "peers/conn_handshake.h"
#include "peers/conn_hello.h"
#include "peers/conn_state.h"
#include "peers/handshakes.h"
#include "peers/peer_metrics.h"
#include "peers/peers_state.h"
#include "peers/stranger_queue.h"
#include "workers/deferred.h"

/* The time slice for handshakes before the loop polls the sockets again. */
#define SLICE_US 2000
/* While no handshake waits, handshakes_run() starts no new slice;
 * handshakes_step() then starts one after this time. */
#define SLICE_INTERVAL_US 4000
/*
 * Clients give up after 10 s.  A client that has waited this long would give up
 * before its handshake ends, so it is refused and the next one is served.
 */
#define WAIT_MAX_US 8000000

/* Whether the peer has closed its side: then a handshake that has not begun
 * cannot succeed.  The event for that may not have been handled yet. */
static bool has_gone(struct relay_conn *conn, bool waited)
{
	struct pollfd at = {.fd = conn->fd, .events = POLLRDHUP};

	if (conn->hung_up || (waited && poll(&at, 1, 0) == 1))
		conn->at_eof = true;
	return conn->at_eof;
}

/* Takes a step.  If it was cut short, the connection is queued for another one.
 */
static void take_step(struct relay_conn *conn)
{
	struct worker *worker = conn->worker;
	struct peers *peers = peers_of(worker);

	if (!conn_handshake(conn))
		return;
	stranger_queue_add(&peers->strangers, conn, STRANGER_BEGUN,
		peers->handshakes.since_us / 1000);
	deferred_arm(worker);
}

/* Takes a step and counts its time; returns the time after it. */
static int64_t step(struct relay_conn *conn, int64_t now_us, bool waited)
{
	struct handshake_slice *all = &peers_of(conn->worker)->handshakes;
	int64_t after_us;

	if (conn->tls)
		take_step(conn);
	else if (has_gone(conn, waited))
		conn_handshake_failed(
			conn, TLS_FAILURE_CLOSED, RELAY_END_EOF, "closed");
	else if (now_us - conn->opened_us > WAIT_MAX_US)
		conn_handshake_failed(conn, TLS_FAILURE_LATE, RELAY_END_TIMEOUT,
			"too many handshakes before it");
	else
		take_step(conn);
	after_us = loop_clock_us();
	all->spent_us += after_us - now_us;
	return after_us;
}

void handshakes_step(struct relay_conn *conn)
{
	struct worker *worker = conn->worker;
	struct peers *peers = peers_of(worker);
	struct handshake_slice *all = &peers->handshakes;
	int64_t now_us = loop_clock_us();

	if (stranger_queue_has(conn))
		return;
	if (!conn->tls)
		conn->opened_us = now_us;
	if (now_us - all->since_us > SLICE_INTERVAL_US) {
		all->since_us = now_us;
		all->spent_us = 0;
	}
	if ((all->spent_us < SLICE_US && peers->strangers.waiting == 0) ||
		(!conn->tls && conn->hung_up)) {
		step(conn, now_us, false);
		return;
	}
	peer_count(worker->shard, PEER_HANDSHAKES_WAITED, 0, 1);
	stranger_queue_add(&peers->strangers, conn,
		conn->tls ? STRANGER_BEGUN : STRANGER_FRESH, now_us / 1000);
	deferred_arm(worker);
}

bool handshakes_run(struct worker *worker)
{
	struct peers *peers = peers_of(worker);
	struct handshake_slice *all = &peers->handshakes;
	struct strangers *strangers = &peers->strangers;
	int64_t now_us;

	if (strangers->waiting == 0)
		return false;
	now_us = loop_clock_us();
	all->since_us = now_us;
	all->spent_us = 0;
	while (all->spent_us < SLICE_US) {
		struct relay_conn *conn =
			stranger_queue_next(strangers, now_us / 1000);

		if (!conn)
			break;
		now_us = step(conn, now_us, true);
	}
	return strangers->waiting > 0;
}
