/* SPDX-License-Identifier: MPL-2.0 */

/* statsd - sends every metric to a StatsD server, in datagrams of many lines.
 */

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <strelaysrv/module.h>

#define PACKET 1400 /* fits an Ethernet frame */
#define SERIES 8192 /* twice the most numbers that the server has */

struct conf {
	const char *host, *port, *prefix;
	int64_t interval;
};

struct state {
	/* The last value sent of each counter, by a hash of its name. */
	struct {
		uint64_t key;
		int64_t value;
	} told[SERIES];
	char packet[PACKET];
	size_t len;
	int fd;
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
	RELAY_OPT_END};

static int flush(struct state *state)
{
	ssize_t sent = send(state->fd, state->packet, state->len, MSG_DONTWAIT);

	state->len = 0;
	/* Ignored: nobody listens, or the socket buffer is full. */
	return sent < 0 && errno != ECONNREFUSED && errno != EAGAIN ? -1 : 0;
}

/* StatsD expects the increase of a counter since the last round. */
static int64_t added(struct state *state, const char *name, int64_t value)
{
	uint64_t key = 14695981039346656037U; /* FNV-1a */
	int64_t before;
	size_t at;

	for (; *name; name++)
		key = (key ^ (unsigned char)*name) * 1099511628211U;
	at = key % SERIES;
	while (state->told[at].key != 0 && state->told[at].key != key)
		at = (at + 1) % SERIES;
	state->told[at].key = key;
	before = state->told[at].value;
	state->told[at].value = value;
	return value - before;
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
		told.value = added(state, name, sample->value);
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
	struct state *state = cx->data;

	(void)arg;
	if (relay_draining() == RELAY_DRAIN_MOVE ||
		(relay_metrics_visit(cx, add, cx) == 0 && flush(state) == 0))
		return ((const struct conf *)cx->conf)->interval;
	relay_log(cx, RELAY_WARNING, "cannot send: %s", strerror(errno));
	return -1;
}

static int start(struct relay_ctx *cx, struct relay_err *err)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_DGRAM};
	const struct conf *conf = cx->conf;
	struct state *state = cx->data;
	struct addrinfo *to;
	int error = getaddrinfo(conf->host, conf->port, &hints, &to);

	if (error)
		return relay_fail(
			err, "%s: %s", conf->host, gai_strerror(error));
	state->fd = socket(to->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	error = connect(state->fd, to->ai_addr, to->ai_addrlen);
	freeaddrinfo(to);
	if (error == 0 && relay_timer_add(cx, 1, export, NULL))
		return 0;
	(void)close(state->fd); /* stop does not run if start fails */
	return relay_fail(err, "cannot begin: %s", strerror(errno));
}

static void stop(struct relay_ctx *cx)
{
	(void)close(((struct state *)cx->data)->fd);
}

RELAY_MODULE = {
	RELAY_MODULE_INFO("statsd", "1.0", "sends metrics to a StatsD server"),
	.options = options,
	.conf_size = sizeof(struct conf),
	.data_size = sizeof(struct state),
	.start = start,
	.stop = stop,
};
