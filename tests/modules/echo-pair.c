/* SPDX-License-Identifier: MPL-2.0 */

/*
 * echo-pair: joins plain connections in pairs, in the order in which they come.
 *
 * An example of a protocol in a hundred lines; it shows that the server knows
 * none.  The first connection waits on its worker.  The second one is moved to
 * that worker, and both become a session.
 */

#include <pthread.h>
#include <string.h>

#include <strelaysrv/listener.h>
#include <strelaysrv/module.h>

struct conf {
	int64_t idle_ms;
	const char *listener;
};

static const struct relay_option options[] = {
	RELAY_OPT(struct conf, idle_ms, int64_t, "idle", RELAY_DURATION, "1m",
		1, 0, "silence after which a pair is parted"),
	RELAY_OPT(struct conf, listener, const char *, "listener", RELAY_STRING,
		"", 0, 0, "takes the connections of this listener only"),
	RELAY_OPT_END,
};

/* The waiting connection.  Ids, not pointers, since it may belong to another
 * worker. */
struct data {
	pthread_mutex_t lock;
	int worker;
	uint64_t id; /* 0: nobody */
};

/* Takes the waiting connection, or makes this one wait. */
static bool take_other(struct relay_ctx *cx, struct relay_conn *conn,
	int *worker, uint64_t *id)
{
	struct data *data = cx->data;
	bool taken;

	pthread_mutex_lock(&data->lock);
	taken = data->id != 0;
	*worker = data->worker;
	*id = data->id;
	data->worker = cx->worker;
	data->id = taken ? 0 : relay_conn_id(conn);
	pthread_mutex_unlock(&data->lock);
	return taken;
}

static void arrived(
	struct relay_ctx *cx, struct relay_conn *conn, const void *arg);

static void meet(struct relay_ctx *cx, struct relay_conn *conn)
{
	const struct conf *conf = cx->conf;
	struct relay_conn *other;
	uint64_t id;
	int worker;

	relay_conn_deadline(conn, -1);
	while (take_other(cx, conn, &worker, &id)) {
		if (worker != cx->worker) {
			relay_conn_move(
				cx, conn, worker, arrived, &id, sizeof(id));
			return;
		}
		other = relay_conn_find(cx, id);
		if (other) {
			relay_session_pair(cx, other, conn, conf->idle_ms);
			return;
		}
	}
}

static void arrived(
	struct relay_ctx *cx, struct relay_conn *conn, const void *arg)
{
	const struct conf *conf = cx->conf;
	const uint64_t *id = arg;
	struct relay_conn *other = relay_conn_find(cx, *id);

	if (other)
		relay_session_pair(cx, other, conn, conf->idle_ms);
	else
		meet(cx, conn);
}

static enum relay_verdict conn_open(
	struct relay_ctx *cx, struct relay_conn *conn, struct relay_denial *why)
{
	const struct conf *conf = cx->conf;
	bool ours = !conf->listener[0] ||
		    strcmp(conf->listener, relay_conn_listener(conn)) == 0;

	(void)why;
	return ours && !relay_conn_is_tls(conn) ? RELAY_TAKE : RELAY_PASS;
}

/* Its data stays in the socket for its future partner. */
static void conn_readable(struct relay_ctx *cx, struct relay_conn *conn)
{
	bool *met = relay_conn_data(cx, conn);

	if (met && !*met) {
		*met = true;
		meet(cx, conn);
	}
}

static void conn_close(
	struct relay_ctx *cx, struct relay_conn *conn, enum relay_reason reason)
{
	struct data *data = cx->data;

	(void)reason;
	pthread_mutex_lock(&data->lock);
	if (data->worker == cx->worker && data->id == relay_conn_id(conn))
		data->id = 0;
	pthread_mutex_unlock(&data->lock);
}

static int init(struct relay_ctx *cx, struct relay_err *err)
{
	struct data *data = cx->data;

	return pthread_mutex_init(&data->lock, NULL) == 0
		       ? 0
		       : relay_fail(err, "no mutex");
}

static void fini(struct relay_ctx *cx)
{
	struct data *data = cx->data;

	pthread_mutex_destroy(&data->lock);
}

RELAY_MODULE = {
	RELAY_MODULE_INFO("echo-pair", "1", "pairs connections as they come"),
	.flags = RELAY_ESSENTIAL | RELAY_CONFINED,
	.options = options,
	.conf_size = sizeof(struct conf),
	.data_size = sizeof(struct data),
	.conn_size = sizeof(bool),
	.init = init,
	.fini = fini,
	.hooks =
		{
			.conn_open = conn_open,
			.conn_readable = conn_readable,
			.conn_close = conn_close,
		},
};
