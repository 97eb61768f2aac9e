/* SPDX-License-Identifier: MPL-2.0 */

/* ledger: counts by the hooks what begins, what ends and what is forwarded.
 * Shows all numbers of the process at /ledger, and writes them into a file when
 * the process ends. */

#include <event2/buffer.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <strelaysrv/module.h>

struct conf {
	const char *folder;
};

struct data {
	struct relay_metric *begun, *ended, *bytes;
};

enum { CONNECTION, SESSION };

static const struct relay_option options[] = {
	RELAY_OPT(struct conf, folder, const char *, "folder", RELAY_STRING,
		".", 1, 4000, "where the file is made, whose name is the PID",
		.flags = RELAY_OPTION_WRITTEN),
	RELAY_OPT_END,
};

static const char *const kinds[] = {"connection", "session", NULL};

static const struct relay_metric_def begun = {.name = "begun",
	.unit = "",
	.help = "Objects whose first hook was called.",
	.kind = RELAY_COUNTER,
	.label = "kind",
	.values = kinds};
static const struct relay_metric_def ended = {.name = "ended",
	.unit = "",
	.help = "Objects whose last hook was called.",
	.kind = RELAY_COUNTER,
	.label = "kind",
	.values = kinds};
static const struct relay_metric_def bytes = {.name = "forwarded",
	.unit = "bytes",
	.help = "What session_sent has reported.",
	.kind = RELAY_COUNTER};

static enum relay_verdict conn_accept(
	struct relay_ctx *cx, struct relay_conn *conn, struct relay_denial *why)
{
	const struct data *data = cx->data;

	(void)conn;
	(void)why;
	relay_metric_inc(cx, data->begun, CONNECTION, 1);
	return RELAY_PASS;
}

static void conn_close(
	struct relay_ctx *cx, struct relay_conn *conn, enum relay_reason reason)
{
	const struct data *data = cx->data;

	(void)conn;
	(void)reason;
	relay_metric_inc(cx, data->ended, CONNECTION, 1);
}

static enum relay_verdict session_open(struct relay_ctx *cx,
	struct relay_session *session, struct relay_denial *why)
{
	const struct data *data = cx->data;

	(void)session;
	(void)why;
	relay_metric_inc(cx, data->begun, SESSION, 1);
	return RELAY_PASS;
}

static void session_close(struct relay_ctx *cx, struct relay_session *session,
	enum relay_reason reason)
{
	const struct data *data = cx->data;

	(void)session;
	(void)reason;
	relay_metric_inc(cx, data->ended, SESSION, 1);
}

static void session_sent(struct relay_ctx *cx, struct relay_session *session,
	int from, size_t len)
{
	const struct data *data = cx->data;

	(void)session;
	(void)from;
	relay_metric_inc(cx, data->bytes, 0, (int64_t)len);
}

static int write_line(const struct relay_sample *sample, void *arg)
{
	return fprintf(arg, "%s.%s%s%s,%" PRId64 "\n", sample->module,
		       sample->def->name, sample->value_name ? "." : "",
		       sample->value_name ? sample->value_name : "",
		       sample->value) < 0;
}

/* NULL: out of memory; the caller frees it. */
static char *numbers(struct relay_ctx *cx, size_t *size)
{
	char *text = NULL;
	FILE *file = open_memstream(&text, size);
	int failed = -1;

	if (file) {
		failed = relay_metrics_visit(cx, write_line, file);
		failed |= fclose(file);
	}
	if (!failed)
		return text;
	free(text);
	return NULL;
}

static void show(struct relay_ctx *cx, struct relay_http *http)
{
	size_t size;
	char *text = numbers(cx, &size);

	if (!text || evbuffer_add(http->body, text, size))
		http->status = 500;
	free(text);
}

static int init(struct relay_ctx *cx, struct relay_err *err)
{
	struct data *data = cx->data;

	data->begun = relay_metric_add(cx, &begun);
	data->ended = relay_metric_add(cx, &ended);
	data->bytes = relay_metric_add(cx, &bytes);
	return data->begun && data->ended && data->bytes &&
			       !relay_http_route(cx, "/ledger", show)
		       ? 0
		       : relay_fail(err, "no room for metrics");
}

/* All connections have ended, and no worker calls a hook any more. */
static void stop(struct relay_ctx *cx)
{
	const struct conf *conf = cx->conf;
	struct relay_err err = {.text = "out of memory"};
	char path[4096];
	size_t size;
	char *text = numbers(cx, &size);

	(void)snprintf(
		path, sizeof(path), "%s/%ld.csv", conf->folder, (long)getpid());
	if (!text || relay_file_replace(path, text, size, 0644, &err) != 0)
		relay_log(cx, RELAY_ERROR, "%s", err.text);
	free(text);
}

RELAY_MODULE = {
	RELAY_MODULE_INFO("ledger", "1.0", "counts what begins and ends"),
	.options = options,
	.flags = RELAY_CONFINED,
	.conf_size = sizeof(struct conf),
	.data_size = sizeof(struct data),
	.init = init,
	.stop = stop,
	.hooks =
		{
			.conn_accept = conn_accept,
			.conn_close = conn_close,
			.session_open = session_open,
			.session_sent = session_sent,
			.session_close = session_close,
		},
};
