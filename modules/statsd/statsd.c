/* SPDX-License-Identifier: MPL-2.0 */

/* statsd - sends every metric to a StatsD server, in datagrams of many lines.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <strelaysrv/module.h>

#include "statsd/target.h"
#include "statsd/told.h"

#define PACKET  1400 /* fits an Ethernet frame */
#define POLL_MS 50   /* until the first address is known */

struct conf {
	const char *host, *port, *prefix;
	int64_t interval, lookup;
};

struct state {
	struct told told; /* counters, by their names without the prefix */
	char packet[PACKET];
	size_t len;
	struct target target;
};

static const struct relay_option options[] = {
	RELAY_OPT(struct conf, host, const char *, "host", RELAY_STRING,
		"127.0.0.1", 1, 253, "address of the StatsD server",
		.flags = RELAY_OPTION_RESTART),
	RELAY_OPT(struct conf, port, const char *, "port", RELAY_STRING, "8125",
		1, 32, "its UDP port", .flags = RELAY_OPTION_RESTART),
	RELAY_OPT(struct conf, prefix, const char *, "prefix", RELAY_STRING,
		"strelaysrv", 1, 100, "prefix of all names"),
	RELAY_OPT(struct conf, interval, int64_t, "interval", RELAY_DURATION,
		"10s", 100, 0, "time between two rounds"),
	RELAY_OPT(struct conf, lookup, int64_t, "lookup", RELAY_DURATION, "1m",
		1000, 0, "how often a host name is resolved again"),
	RELAY_OPT_END};

static int flush(struct state *state)
{
	ssize_t sent =
		send(state->target.fd, state->packet, state->len, MSG_DONTWAIT);

	state->len = 0;
	/* Ignored: nobody listens, or the socket buffer is full. */
	return sent < 0 && errno != ECONNREFUSED && errno != EAGAIN ? -1 : 0;
}

static int add(const struct relay_sample *sample, void *arg)
{
	const struct conf *conf = ((struct relay_ctx *)arg)->conf;
	struct state *state = ((struct relay_ctx *)arg)->data;
	bool gauge = sample->def->kind == RELAY_GAUGE;
	struct relay_sample told = *sample;
	char name[300], zero[320] = "", line[700], number[RELAY_NUMBER_TEXT];
	int len;

	(void)snprintf(name, sizeof(name), "%s.%s.%s%s%s", conf->prefix,
		sample->module, sample->def->name,
		sample->value_name ? "." : "",
		sample->value_name ? sample->value_name : "");
	if (!gauge)
		told.value = told_increase(&state->told,
			name + strlen(conf->prefix) + 1, sample->value);
	/* A sign makes a gauge's number a change: from 0, it is the number. */
	if (gauge && told.value < 0)
		(void)snprintf(zero, sizeof(zero), "%s:0|g\n", name);
	len = snprintf(line, sizeof(line), "%s%s:%s|%c\n", zero, name,
		relay_sample_text(&told, number), gauge ? 'g' : 'c');
	if (state->len + (size_t)len > PACKET && flush(state) != 0)
		return -1;
	memcpy(state->packet + state->len, line, (size_t)len);
	state->len += (size_t)len;
	return 0;
}

/* After an upgrade the new process sends the gauges. */
static int64_t export(struct relay_ctx *cx, void *arg)
{
	const struct conf *conf = cx->conf;
	struct state *state = cx->data;
	bool awaited = target_refresh(cx, &state->target, conf->lookup);

	(void)arg;
	if (state->target.fd < 0)
		return awaited && POLL_MS < conf->interval ? POLL_MS
							   : conf->interval;
	if (relay_draining() == RELAY_DRAIN_MOVE)
		return conf->interval;
	told_begin(&state->told);
	if (relay_metrics_visit(cx, add, cx) == 0 && flush(state) == 0)
		return conf->interval;
	relay_log(cx, RELAY_WARNING, "cannot send: %s", strerror(errno));
	return -1;
}

static int start(struct relay_ctx *cx, struct relay_err *err)
{
	const struct conf *conf = cx->conf;
	struct state *state = cx->data;

	if (target_begin(&state->target, conf->host, conf->port, err) != 0)
		return -1;
	if (relay_timer_add(cx, 1, export, NULL))
		return 0;
	target_finish(&state->target); /* stop does not run if start fails */
	return relay_fail(err, "out of memory");
}

static void stop(struct relay_ctx *cx)
{
	target_finish(&((struct state *)cx->data)->target);
}

RELAY_MODULE = {
	RELAY_MODULE_INFO("statsd", "1.0", "sends metrics to a StatsD server"),
	.options = options,
	.flags = RELAY_CONFINED,
	.conf_size = sizeof(struct conf),
	.data_size = sizeof(struct state),
	.start = start,
	.stop = stop,
};
