/* SPDX-License-Identifier: MPL-2.0 */

/*
 * trace: writes a line for every call it gets, and checks its blocks.
 */

#include <inttypes.h>
#include <string.h>

#include <strelaysrv/module.h>

struct conf {
	const char *deny; /* a hook's name */
};

static const struct relay_option options[] = {
	RELAY_OPT(struct conf, deny, const char *, "deny", RELAY_STRING, "", 0,
		0, "the filter that refuses"),
	RELAY_OPT_END,
};

#define SEEN UINT64_C(0x5452414345)

/* A block of each connection and session.  It begins with zeros and must keep
 * its contents. */
struct block {
	uint64_t seen;
	uint64_t calls;
};

static void check_block(
	struct relay_ctx *cx, struct block *block, bool first, const char *hook)
{
	if (!block) { /* older than this module */
		relay_log(cx, RELAY_NOTICE, "%s: no block", hook);
		return;
	}
	if (block->seen != (first ? 0 : SEEN))
		relay_log(cx, RELAY_ERROR, "%s: wrong block", hook);
	block->seen = SEEN;
	block->calls++;
}

static enum relay_verdict answer(
	struct relay_ctx *cx, const char *hook, struct relay_denial *why)
{
	const struct conf *conf = cx->conf;

	if (strcmp(conf->deny, hook) != 0)
		return RELAY_PASS;
	why->refusal = RELAY_REFUSE_FULL;
	why->word = "traced";
	return RELAY_DENY;
}

static enum relay_verdict about_conn(struct relay_ctx *cx,
	struct relay_conn *conn, struct relay_denial *why, const char *hook)
{
	check_block(cx, relay_conn_data(cx, conn),
		strcmp(hook, "conn_accept") == 0, hook);
	relay_log(cx, RELAY_NOTICE, "%s", hook);
	return answer(cx, hook, why);
}

static enum relay_verdict conn_accept(
	struct relay_ctx *cx, struct relay_conn *conn, struct relay_denial *why)
{
	return about_conn(cx, conn, why, "conn_accept");
}

static enum relay_verdict conn_open(
	struct relay_ctx *cx, struct relay_conn *conn, struct relay_denial *why)
{
	const char *listener = relay_conn_listener(conn);

	if (listener[0])
		relay_log(cx, RELAY_NOTICE, "came in at %s%s", listener,
			relay_conn_private(conn) ? ", private" : "");
	return about_conn(cx, conn, why,
		relay_conn_is_tls(conn) ? "conn_open_tls" : "conn_open_plain");
}

static enum relay_verdict peer_join(struct relay_ctx *cx,
	struct relay_conn *conn, const char *token, struct relay_denial *why)
{
	relay_log(cx, RELAY_NOTICE, "token \"%s\"", token);
	return about_conn(cx, conn, why, "peer_join");
}

static enum relay_verdict peer_connect(struct relay_ctx *cx,
	struct relay_conn *conn, const uint8_t *target,
	struct relay_denial *why)
{
	(void)target;
	return about_conn(cx, conn, why, "peer_connect");
}

static void peer_joined(struct relay_ctx *cx, struct relay_conn *conn)
{
	check_block(cx, relay_conn_data(cx, conn), false, "peer_joined");
	relay_log(cx, RELAY_NOTICE, "peer_joined");
}

static void peer_left(struct relay_ctx *cx, struct relay_conn *conn)
{
	check_block(cx, relay_conn_data(cx, conn), false, "peer_left");
	relay_log(cx, RELAY_NOTICE, "peer_left");
}

static enum relay_verdict peer_asked(struct relay_ctx *cx,
	const struct relay_asker *asker, const uint8_t *target,
	struct relay_denial *why)
{
	(void)asker;
	(void)target;
	relay_log(cx, RELAY_NOTICE, "peer_asked");
	return answer(cx, "peer_asked", why);
}

static enum relay_verdict peer_stay(
	struct relay_ctx *cx, struct relay_conn *conn, struct relay_denial *why)
{
	return about_conn(cx, conn, why, "peer_stay");
}

/* Never called, because this module takes no connection. */
static void conn_readable(struct relay_ctx *cx, struct relay_conn *conn)
{
	(void)conn;
	relay_log(cx, RELAY_ERROR, "conn_readable");
}

static void conn_deadline(struct relay_ctx *cx, struct relay_conn *conn)
{
	(void)conn;
	relay_log(cx, RELAY_ERROR, "conn_deadline");
}

static enum relay_verdict session_open(struct relay_ctx *cx,
	struct relay_session *session, struct relay_denial *why)
{
	check_block(cx, relay_session_data(cx, session), true, "session_open");
	relay_log(cx, RELAY_NOTICE, "session_open");
	return answer(cx, "session_open", why);
}

static size_t session_grant(struct relay_ctx *cx, struct relay_session *session,
	int from, size_t len, unsigned *wait_ms)
{
	(void)from;
	check_block(
		cx, relay_session_data(cx, session), false, "session_grant");
	*wait_ms = 1;
	return len;
}

static void session_sent(struct relay_ctx *cx, struct relay_session *session,
	int from, size_t len)
{
	check_block(cx, relay_session_data(cx, session), false, "session_sent");
	relay_log(cx, RELAY_NOTICE, "session_sent %d %zu", from, len);
}

static void session_close(struct relay_ctx *cx, struct relay_session *session,
	enum relay_reason reason)
{
	check_block(
		cx, relay_session_data(cx, session), false, "session_close");
	relay_log(cx, RELAY_NOTICE, "session_close %s",
		relay_reason_word(reason));
}

static void conn_close(
	struct relay_ctx *cx, struct relay_conn *conn, enum relay_reason reason)
{
	check_block(cx, relay_conn_data(cx, conn), false, "conn_close");
	relay_log(cx, RELAY_NOTICE, "conn_close %s", relay_reason_word(reason));
}

static int64_t drain(struct relay_ctx *cx, enum relay_drain how)
{
	static const char *const words[] = {[RELAY_DRAIN_NONE] = "none",
		[RELAY_DRAIN_LEAVE] = "leave",
		[RELAY_DRAIN_MOVE] = "move"};

	relay_log(cx, RELAY_NOTICE, "drain %s", words[how]);
	return 0;
}

/* The stages. */

static int check(const void *conf, struct relay_err *err)
{
	(void)err;
	(void)conf;
	relay_log(NULL, RELAY_NOTICE, "trace: check");
	return 0;
}

static int init(struct relay_ctx *cx, struct relay_err *err)
{
	(void)err;
	relay_log(cx, RELAY_NOTICE, "init");
	return 0;
}

static int start(struct relay_ctx *cx, struct relay_err *err)
{
	(void)err;
	relay_log(cx, RELAY_NOTICE, "start");
	return 0;
}

#define STAGE(name)                                                            \
	static void name(struct relay_ctx *cx)                                 \
	{                                                                      \
		relay_log(cx, RELAY_NOTICE, #name);                            \
	}
STAGE(ready)
STAGE(reload)
STAGE(stop)
STAGE(fini)
STAGE(worker_stop)

static int worker_start(struct relay_ctx *cx, struct relay_err *err)
{
	const unsigned char *local = cx->local;

	for (size_t i = 0; i < 64; i++)
		if (local[i])
			return relay_fail(err, "its local block is not zero");
	relay_log(cx, RELAY_NOTICE, "worker_start");
	return 0;
}

RELAY_MODULE = {
	RELAY_MODULE_INFO("trace", "1", "tells of every call"),
	.options = options,
	.flags = RELAY_CONFINED,
	.conf_size = sizeof(struct conf),
	.worker_size = 64,
	.conn_size = sizeof(struct block),
	.session_size = sizeof(struct block),
	.check = check,
	.init = init,
	.start = start,
	.ready = ready,
	.reload = reload,
	.stop = stop,
	.fini = fini,
	.worker_start = worker_start,
	.worker_stop = worker_stop,
	.hooks =
		{
			.conn_accept = conn_accept,
			.conn_open = conn_open,
			.conn_readable = conn_readable,
			.conn_deadline = conn_deadline,
			.peer_join = peer_join,
			.peer_connect = peer_connect,
			.peer_stay = peer_stay,
			.peer_joined = peer_joined,
			.peer_left = peer_left,
			.peer_asked = peer_asked,
			.session_open = session_open,
			.session_grant = session_grant,
			.session_sent = session_sent,
			.session_close = session_close,
			.conn_close = conn_close,
			.drain = drain,
		},
};
