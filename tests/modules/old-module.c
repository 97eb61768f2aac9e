/* SPDX-License-Identifier: MPL-2.0 */

/*
 * old-module: was built with the headers of API 1.6.  It decides about peers of
 * other protocols, and has one of its own, see conn_readable().
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api-1-6.h"

#define WORD  4 /* bytes of a token */
#define GRANT 4 /* bytes that may be forwarded at a time */

struct conf {
	const char *deny; /* a hook's name */
};

static const struct relay_option options[] = {
	{.name = "deny",
		.type = RELAY_STRING,
		.offset = offsetof(struct conf, deny),
		.def = "",
		.help = "the filter that refuses"},
	{.name = NULL},
};

struct data {
	uint64_t waiting; /* on worker 0; 0: nobody */
	struct relay_metric *sent;
};

/* The block of each connection and session. */
struct block {
	uint64_t calls;
	char word[WORD + 1];
	bool joined;
};

static enum relay_verdict decide(
	struct relay_ctx *cx, const char *hook, struct relay_denial *why)
{
	const struct conf *conf = cx->conf;

	relay_log(cx, RELAY_NOTICE, "%s", hook);
	if (strcmp(conf->deny, hook) != 0)
		return RELAY_PASS;
	*why = (struct relay_denial){RELAY_REFUSE_POLICY, "old-denial"};
	return RELAY_DENY;
}

/* As a module for other protocols. */

#define FILTER(name)                                                           \
	static enum relay_verdict name(struct relay_ctx *cx,                   \
		struct relay_conn *conn, struct relay_denial *why)             \
	{                                                                      \
		struct block *block = relay_conn_data(cx, conn);               \
		block->calls++;                                                \
		return decide(cx, #name, why);                                 \
	}
FILTER(conn_accept)
FILTER(peer_stay)

static enum relay_verdict peer_join(struct relay_ctx *cx,
	struct relay_conn *conn, const char *token, struct relay_denial *why)
{
	(void)conn;
	relay_log(cx, RELAY_NOTICE, "token \"%s\"", token);
	return decide(cx, "peer_join", why);
}

static enum relay_verdict peer_connect(struct relay_ctx *cx,
	struct relay_conn *conn, const uint8_t *target,
	struct relay_denial *why)
{
	(void)conn;
	(void)target;
	return decide(cx, "peer_connect", why);
}

static enum relay_verdict peer_try(struct relay_ctx *cx,
	struct relay_conn *conn, enum relay_try what, struct relay_denial *why)
{
	(void)conn;
	return decide(
		cx, what == RELAY_TRY_JOIN ? "try_join" : "try_connect", why);
}

static void peer_failed(
	struct relay_ctx *cx, struct relay_conn *conn, enum relay_try what)
{
	(void)conn;
	relay_log(cx, RELAY_NOTICE, "failed %d", what);
}

static void conn_settled(struct relay_ctx *cx, struct relay_conn *conn)
{
	(void)conn;
	relay_log(cx, RELAY_NOTICE, "conn_settled");
}

static enum relay_verdict session_open(struct relay_ctx *cx,
	struct relay_session *session, struct relay_denial *why)
{
	struct block *block = relay_session_data(cx, session);

	block->calls++;
	return decide(cx, "session_open", why);
}

static size_t session_grant(struct relay_ctx *cx, struct relay_session *session,
	int from, size_t len, unsigned *wait_ms)
{
	(void)cx;
	(void)session;
	(void)from;
	*wait_ms = 1;
	return len < GRANT ? len : GRANT;
}

static void session_sent(struct relay_ctx *cx, struct relay_session *session,
	int from, size_t len)
{
	struct data *data = cx->data;

	(void)session;
	relay_metric_inc(cx, data->sent, 0, (int64_t)len);
	relay_log(cx, RELAY_NOTICE, "sent %d %zu", from, len);
}

static void session_close(struct relay_ctx *cx, struct relay_session *session,
	enum relay_reason reason)
{
	const struct block *block = relay_session_data(cx, session);

	relay_log(cx, RELAY_NOTICE, "session_close %s, %llu calls",
		relay_reason_word(reason), (unsigned long long)block->calls);
}

/* As a protocol: two who have joined, one after the other, become a session. */

static enum relay_verdict conn_open(
	struct relay_ctx *cx, struct relay_conn *conn, struct relay_denial *why)
{
	enum relay_verdict verdict = decide(cx, "conn_open", why);

	return verdict != RELAY_PASS || relay_conn_is_tls(conn) ? verdict
								: RELAY_TAKE;
}

static void arrived(
	struct relay_ctx *cx, struct relay_conn *conn, const void *arg)
{
	struct data *data = cx->data;
	struct relay_conn *other =
		data->waiting ? relay_conn_find(cx, data->waiting) : NULL;

	(void)arg;
	data->waiting = other ? 0 : relay_conn_id(conn);
	if (other)
		(void)relay_session_pair(cx, other, conn, 60000);
	else
		relay_conn_deadline(conn, -1);
}

static void join(
	struct relay_ctx *cx, struct relay_conn *conn, struct block *block)
{
	struct relay_denial why = {RELAY_REFUSE_POLICY, ""};
	char line[64] = "joined\n";

	block->joined =
		relay_ask_try(cx, conn, RELAY_TRY_JOIN, &why) == RELAY_PASS &&
		relay_ask_join(cx, conn, block->word, &why) == RELAY_PASS;
	if (!block->joined) {
		relay_tell_failed(cx, conn, RELAY_TRY_JOIN);
		(void)snprintf(line, sizeof(line), "denied %s\n", why.word);
	}
	if (relay_conn_write(conn, line, strlen(line)) != 0 || !block->joined)
		relay_conn_close(conn, RELAY_END_DENIED);
	else
		relay_conn_move(cx, conn, 0, arrived, NULL, 0);
}

/* A client sends its token, is answered "joined" or "denied WORD", and is then
 * connected to the next one. */
static void conn_readable(struct relay_ctx *cx, struct relay_conn *conn)
{
	struct block *block = relay_conn_data(cx, conn);
	size_t has = strlen(block->word);

	if (!block->joined && relay_conn_read(conn, block->word + has,
				      WORD - has) == (ssize_t)(WORD - has))
		join(cx, conn, block);
}

static void conn_deadline(struct relay_ctx *cx, struct relay_conn *conn)
{
	(void)cx;
	relay_conn_close(conn, RELAY_END_TIMEOUT);
}

static void conn_close(
	struct relay_ctx *cx, struct relay_conn *conn, enum relay_reason reason)
{
	struct data *data = cx->data;

	if (cx->worker == 0 && data->waiting == relay_conn_id(conn))
		data->waiting = 0;
	relay_log(cx, RELAY_NOTICE, "conn_close %s", relay_reason_word(reason));
}

/* The server as a whole. */

static int files_read(const void *conf, void **files, struct relay_err *err)
{
	int *number = malloc(sizeof(*number));

	(void)conf;
	if (!number)
		return relay_fail(err, "out of memory");
	*number = 16;
	*files = number;
	return 0;
}

static int reload_prepare(
	struct relay_ctx *cx, const void *conf, struct relay_err *err)
{
	const int *number = relay_files(cx, conf);

	(void)err;
	relay_log(cx, RELAY_NOTICE, "prepares with %d", *number);
	return 0;
}

static void reload_commit(struct relay_ctx *cx)
{
	const struct conf *conf = cx->conf;

	relay_log(cx, RELAY_NOTICE, "commits %s", conf->deny);
}

static void advise(struct relay_ctx *cx, const void *conf)
{
	(void)conf;
	relay_log(cx, RELAY_WARNING, "advice of an old module");
}

static int init(struct relay_ctx *cx, struct relay_err *err)
{
	static const struct relay_metric_def sent = {.name = "sent",
		.unit = "bytes",
		.help = "Bytes that it was told of.",
		.kind = RELAY_COUNTER};
	struct data *data = cx->data;

	data->sent = relay_metric_add(cx, &sent);
	return data->sent ? 0 : relay_fail(err, "no metric");
}

/* Where later members of struct relay_hooks are. */
static int beyond(void)
{
	relay_log(NULL, RELAY_ERROR, "called beyond its end");
	return 0;
}

struct with_more {
	struct relay_module_def def;
	int (*more[16])(void);
};

extern const struct with_more relay_module;
__attribute__((visibility("default"))) const struct with_more relay_module = {
	.def =
		{
			.magic = RELAY_ABI_MAGIC,
			.abi_major = 1,
			.abi_minor = 6,
			.size = sizeof(struct relay_module_def),
			.name = "old-module",
			.version = "1",
			.summary = "was built with API 1.6",
			.options = options,
			.flags = RELAY_CONFINED,
			.conf_size = sizeof(struct conf),
			.data_size = sizeof(struct data),
			.conn_size = sizeof(struct block),
			.session_size = sizeof(struct block),
			.init = init,
			.hooks =
				{
					.conn_accept = conn_accept,
					.conn_open = conn_open,
					.conn_readable = conn_readable,
					.conn_deadline = conn_deadline,
					.peer_join = peer_join,
					.peer_connect = peer_connect,
					.peer_stay = peer_stay,
					.session_open = session_open,
					.session_grant = session_grant,
					.session_sent = session_sent,
					.session_close = session_close,
					.conn_close = conn_close,
					.conn_settled = conn_settled,
					.peer_try = peer_try,
					.peer_failed = peer_failed,
					.reload_prepare = reload_prepare,
					.reload_commit = reload_commit,
					.files_read = files_read,
					.files_free = free,
					.advise = advise,
				},
		},
	.more = {beyond, beyond, beyond, beyond, beyond, beyond, beyond, beyond,
		beyond, beyond, beyond, beyond, beyond, beyond, beyond, beyond},
};
