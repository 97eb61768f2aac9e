/* SPDX-License-Identifier: MPL-2.0 */

/* Handshakes: the share of a worker's time that they may take. */

#include <stdbool.h>
#include <stddef.h>

#include "conn.h"
#include "handshakes.h"
#include "turn.h"

/* At most so long before the sockets are looked at again. */
#define SHARE_US 2000
/* Without a line, turns are not counted: then so long stands for one. */
#define SPAN_US 4000
/*
 * Clients give up after 10 s.  Who waited nearly that long will not stay until
 * the end; the time is better spent on the next one.
 */
#define PATIENCE_US 8000000

static void append(struct handshake_line *line, struct relay_conn *conn)
{
	/* The flag keeps it in memory while the line points to it. */
	conn->again = true;
	conn->again_next = NULL;
	if (line->first)
		line->last->again_next = conn;
	else
		line->first = conn;
	line->last = conn;
}

static struct relay_conn *take(struct handshakes *all)
{
	struct handshake_line *line =
		all->fresh_next ? &all->fresh : &all->begun;
	struct relay_conn *conn;

	all->fresh_next = !all->fresh_next;
	if (!line->first)
		line = line == &all->fresh ? &all->begun : &all->fresh;
	conn = line->first;
	if (conn) {
		line->first = conn->again_next;
		conn->again = false;
	}
	return conn;
}

/* One step, whose time is counted; returns the time after it. */
static int64_t step(struct relay_conn *conn, int64_t now_us)
{
	struct handshakes *all = &conn->worker->handshakes;
	int64_t after_us;

	if (!conn->ssl && now_us - conn->opened_us > PATIENCE_US)
		conn_handshake_late(conn);
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

	if (conn->again)
		return;
	if (!conn->ssl)
		conn->opened_us = now_us;
	if (now_us - all->since_us > SPAN_US) {
		all->since_us = now_us;
		all->spent_us = 0;
	}
	if (all->spent_us < SHARE_US && !all->begun.first &&
		!all->fresh.first) {
		step(conn, now_us);
		return;
	}
	append(conn->ssl ? &all->begun : &all->fresh, conn);
	turn_arm(worker);
}

void handshakes_later(struct relay_conn *conn)
{
	append(&conn->worker->handshakes.begun, conn);
	turn_arm(conn->worker);
}

bool handshakes_run(struct worker *worker)
{
	struct handshakes *all = &worker->handshakes;
	struct relay_conn *conn;
	int64_t now_us;

	if (!all->begun.first && !all->fresh.first)
		return false;
	now_us = loop_clock_us();
	all->since_us = now_us;
	all->spent_us = 0;
	while (all->spent_us < SHARE_US && (conn = take(all)) != NULL) {
		if (conn->phase == CONN_HANDSHAKE)
			now_us = step(conn, now_us);
		else if (conn->phase != CONN_DEAD)
			conn_run_again(conn);
	}
	return all->begun.first || all->fresh.first;
}
