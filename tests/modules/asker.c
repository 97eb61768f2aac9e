/* SPDX-License-Identifier: MPL-2.0 */

/*
 * asker: a protocol in which each byte of a plain connection is an order, and
 * each answer is a line.
 *
 *   j  asks whether the peer may join, and waits
 *   o  the same as protocol modules did before they could wait
 *   c  in that way, whether the peer may be connected to some device
 *   m  moves the connection to the next worker
 *   p  pairs it with the connection that has said so before
 */

#include <stdio.h>
#include <string.h>

#include <strelaysrv/module.h>

struct local {
	uint64_t first; /* has said `p` */
};

static void tell(struct relay_conn *conn, const char *word, const char *more)
{
	char line[100];
	int len = snprintf(
		line, sizeof(line), "%s%s%s\n", word, *more ? " " : "", more);

	if (relay_conn_write(conn, line, (size_t)len) != 0)
		relay_conn_close(conn, RELAY_END_OVERFLOW);
}

static void tell_verdict(struct relay_conn *conn, enum relay_verdict verdict,
	const struct relay_denial *why)
{
	static const char *const words[] = {[RELAY_PASS] = "pass",
		[RELAY_DENY] = "deny",
		[RELAY_TAKE] = "take",
		[RELAY_WAIT] = "wait"};

	tell(conn, words[verdict], verdict == RELAY_DENY ? why->word : "");
}

static void decided(struct relay_ctx *cx, struct relay_conn *conn,
	const uint8_t *target, const struct relay_decision *decision)
{
	(void)cx;
	(void)target;
	tell_verdict(conn, decision->verdict, &decision->why);
}

static void moved(
	struct relay_ctx *cx, struct relay_conn *conn, const void *arg)
{
	(void)cx;
	(void)arg;
	tell(conn, "moved", "");
	relay_conn_again(conn);
}

static void pair(struct relay_ctx *cx, struct relay_conn *conn)
{
	struct local *local = cx->local;
	struct relay_conn *first = relay_conn_find(cx, local->first);

	local->first = first ? 0 : relay_conn_id(conn);
	if (first)
		relay_session_pair(cx, first, conn, 60000);
	else
		tell(conn, "first", "");
}

/* False: it is not this worker's any more. */
static bool obey(struct relay_ctx *cx, struct relay_conn *conn, char order)
{
	static const uint8_t device[RELAY_DEVICE_ID_LEN];
	struct relay_decision is = {.verdict = RELAY_PASS};

	switch (order) {
	case 'j':
		tell_verdict(conn,
			relay_ask_join_wait(cx, conn, "token", &is, decided),
			&is.why);
		return true;
	case 'o':
		tell_verdict(conn, relay_ask_join(cx, conn, "token", &is.why),
			&is.why);
		return true;
	case 'c':
		tell_verdict(conn, relay_ask_connect(cx, conn, device, &is.why),
			&is.why);
		return true;
	case 'm':
		relay_conn_move(cx, conn,
			(cx->worker + 1) % relay_worker_count(), moved, NULL,
			0);
		return false;
	case 'p':
		pair(cx, conn);
		return false;
	default:
		relay_conn_close(conn, RELAY_END_PROTOCOL);
		return false;
	}
}

static enum relay_verdict conn_open(
	struct relay_ctx *cx, struct relay_conn *conn, struct relay_denial *why)
{
	(void)cx;
	(void)why;
	relay_conn_deadline(conn, -1);
	return relay_conn_is_tls(conn) ? RELAY_PASS : RELAY_TAKE;
}

static void conn_readable(struct relay_ctx *cx, struct relay_conn *conn)
{
	char order;

	while (relay_conn_read(conn, &order, 1) == 1)
		if (!obey(cx, conn, order))
			return;
}

RELAY_MODULE = {
	RELAY_MODULE_INFO("asker", "1", "asks modules what a byte says"),
	.flags = RELAY_ESSENTIAL | RELAY_CONFINED,
	.worker_size = sizeof(struct local),
	.hooks =
		{
			.conn_open = conn_open,
			.conn_readable = conn_readable,
		},
};
