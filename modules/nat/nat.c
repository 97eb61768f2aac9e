/* SPDX-License-Identifier: MPL-2.0 */

/* nat - has gateways lead a port to the relay, and tells clients of it. */

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include <strelaysrv/module.h>

#include "../relay/service.h"
#include "keeper.h"

#define STOP_MS 5000 /* for a gateway to take the port back */

struct conf {
	bool enabled;
	int64_t lease_ms;
	int64_t renewal_ms;
	int64_t timeout_ms;
	int64_t check_ms;
};

enum { METRIC_MAPPED, METRIC_CHANGES, METRIC_FAILURES, METRICS };

/* [C] only. */
struct state {
	struct keeper *keeper; /* NULL: not enabled */
	struct event *event;   /* of its news */
	struct relay_metric *metrics[METRICS];
	bool mapped;
	bool left; /* to another process */
};

static const struct relay_option options[] = {
	RELAY_OPT(struct conf, enabled, bool, "enabled", RELAY_BOOL, "no", 0, 0,
		"map an external port by UPnP or NAT-PMP", .flag = "nat"),
	RELAY_OPT(struct conf, lease_ms, int64_t, "lease", RELAY_DURATION,
		"60m", 0, 604800000,
		"for how long a port is mapped; 0 is for ever",
		.flag = "nat-lease", .flag_unit = "m"),
	RELAY_OPT(struct conf, renewal_ms, int64_t, "renewal", RELAY_DURATION,
		"30m", 1000, 604800000, "time between two renewals",
		.flag = "nat-renewal", .flag_unit = "m"),
	RELAY_OPT(struct conf, timeout_ms, int64_t, "timeout", RELAY_DURATION,
		"10s", 1000, 600000, "for how long a gateway is searched",
		.flag = "nat-timeout", .flag_unit = "s"),
	RELAY_OPT(struct conf, check_ms, int64_t, "check", RELAY_DURATION, "1m",
		1000, 86400000,
		"how often the mapping and the external address are looked at"),
	RELAY_OPT_END};

static struct state *state_of(const struct relay_ctx *cx)
{
	return cx->data;
}

static int64_t read_mapped(struct relay_ctx *cx, unsigned value)
{
	(void)value;
	return state_of(cx)->mapped;
}

static const struct relay_metric_def metrics[METRICS] = {
	[METRIC_MAPPED] = {.name = "mapped",
		.help = "Whether a gateway leads a port to the relay.",
		.kind = RELAY_GAUGE,
		.read = read_mapped},
	[METRIC_CHANGES] = {.name = "changes",
		.help = "Times that the external address or port became "
			"another one.",
		.kind = RELAY_COUNTER},
	[METRIC_FAILURES] = {.name = "failures",
		.help = "Times that gateways began to fail.",
		.kind = RELAY_COUNTER},
};

/* What clients are told. */

static void tell_relay(struct relay_ctx *cx, const struct mapping *mapping)
{
	struct relay_ctx *self;
	const struct relay_service *relay = relay_service_find(
		cx, RELAY_SERVICE, RELAY_SERVICE_VERSION, &self);
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_storage address;

	if (!relay)
		return;
	if (!mapping) {
		relay->clear_external(self, AF_INET);
		return;
	}
	v4.sin_addr = mapping->address;
	v4.sin_port = htons(mapping->outer);
	memset(&address, 0, sizeof(address));
	memcpy(&address, &v4, sizeof(v4));
	relay->set_external(self, &address);
}

/* Behind a second gateway, nobody from outside gets through. */
static bool is_private(struct in_addr address)
{
	uint32_t a = ntohl(address.s_addr);

	return a >> 24 == 10 || a >> 20 == (172 << 4 | 1) ||
	       a >> 16 == (192 << 8 | 168) || a >> 22 == (100 << 2 | 1);
}

static void mapped(struct relay_ctx *cx, const struct keeper_news *news)
{
	char text[INET_ADDRSTRLEN] = "?";

	(void)inet_ntop(AF_INET, &news->mapping.address, text, sizeof(text));
	relay_log(cx, RELAY_NOTICE, "%s maps port %u of %s to this relay",
		news->protocol, (unsigned)news->mapping.outer, text);
	if (is_private(news->mapping.address))
		relay_log(cx, RELAY_WARNING,
			"%s is a private address: there is another gateway "
			"behind this one, which must map the port as well",
			text);
	state_of(cx)->mapped = true;
	relay_metric_inc(cx, state_of(cx)->metrics[METRIC_CHANGES], 0, 1);
	tell_relay(cx, &news->mapping);
}

static void hear(struct relay_ctx *cx, const void *arg)
{
	struct state *state = state_of(cx);
	struct keeper_news news;

	(void)arg;
	while (state->keeper && keeper_hear(state->keeper, &news)) {
		switch (news.what) {
		case KEEPER_MAPPED:
			mapped(cx, &news);
			break;
		case KEEPER_LOST:
			relay_log(cx, RELAY_WARNING,
				"the mapped port is lost: %s", news.why.text);
			state->mapped = false;
			tell_relay(cx, NULL);
			break;
		case KEEPER_FAILED:
			relay_log(cx, RELAY_WARNING,
				"no port is mapped: %s; tries again",
				news.why.text);
			relay_metric_inc(
				cx, state->metrics[METRIC_FAILURES], 0, 1);
			break;
		}
	}
}

/* From libevent: the rest runs as the module's own call. */
static void has_news(evutil_socket_t fd, short what, void *arg)
{
	uint64_t count;

	(void)what;
	/* Else it would stay readable, and this would be called until then. */
	if (read(fd, &count, sizeof(count)) < 0)
		return;
	if (relay_post(arg, RELAY_CONTROL, hear, NULL, 0) != 0)
		hear(arg, NULL);
}

/* What is mapped. */

/* The first address that takes IPv4. */
static int find_port(struct keeper_conf *out, struct relay_err *err)
{
	struct sockaddr_storage addr;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	for (unsigned i = 0; relay_listen_address(i, &addr) == 0; i++) {
		if (addr.ss_family == AF_INET6) {
			memcpy(&v6, &addr, sizeof(v6));
			if (!IN6_IS_ADDR_UNSPECIFIED(&v6.sin6_addr))
				continue;
			out->port = ntohs(v6.sin6_port);
			return 0;
		}
		memcpy(&v4, &addr, sizeof(v4));
		if (ntohl(v4.sin_addr.s_addr) >> 24 == 127)
			continue;
		out->port = ntohs(v4.sin_port);
		if (v4.sin_addr.s_addr != htonl(INADDR_ANY))
			(void)inet_ntop(AF_INET, &v4.sin_addr, out->local,
				sizeof(out->local));
		return 0;
	}
	return relay_fail(err, "the relay listens on no IPv4 address that a "
			       "gateway could reach");
}

static void fill(const struct relay_ctx *cx, struct keeper_conf *out)
{
	const struct conf *conf = cx->conf;

	out->timeout_ms = conf->timeout_ms;
	out->schedule = (struct schedule){.lease_ms = conf->lease_ms,
		.renewal_ms = conf->renewal_ms,
		.check_ms = conf->check_ms};
}

static void enable(struct relay_ctx *cx)
{
	struct state *state = state_of(cx);
	struct keeper_conf conf = {.port = 0};
	struct relay_err err;

	fill(cx, &conf);
	if (find_port(&conf, &err) == 0)
		state->keeper = keeper_start(&conf, &err);
	if (!state->keeper) {
		relay_log(cx, RELAY_WARNING, "maps no port: %s", err.text);
		return;
	}
	state->event = event_new(relay_event_base(cx), keeper_fd(state->keeper),
		EV_READ | EV_PERSIST, has_news, cx);
	if (state->event && event_add(state->event, NULL) == 0)
		return;
	relay_log(cx, RELAY_WARNING, "maps no port: out of memory");
	if (state->event)
		event_free(state->event);
	state->event = NULL;
	keeper_stop(state->keeper, 0);
	state->keeper = NULL;
}

static void disable(struct relay_ctx *cx, int64_t wait_ms)
{
	struct state *state = state_of(cx);

	if (state->event)
		event_free(state->event);
	state->event = NULL;
	keeper_stop(state->keeper, wait_ms);
	state->keeper = NULL;
	if (state->mapped)
		tell_relay(cx, NULL);
	state->mapped = false;
}

static void apply(struct relay_ctx *cx)
{
	const struct conf *conf = cx->conf;
	struct keeper_conf next = {.port = 0};
	struct relay_err err;

	if (!conf->enabled) {
		disable(cx, 0);
		return;
	}
	if (!state_of(cx)->keeper) {
		enable(cx);
		return;
	}
	fill(cx, &next);
	if (find_port(&next, &err) == 0) {
		keeper_configure(state_of(cx)->keeper, &next);
		return;
	}
	disable(cx, 0);
	relay_log(cx, RELAY_WARNING, "maps no port: %s", err.text);
}

/* A process that takes over maps the same port, and would lose it with us. */
static int64_t drain(struct relay_ctx *cx, enum relay_drain how)
{
	struct state *state = state_of(cx);

	if (how == RELAY_DRAIN_NONE && state->left)
		apply(cx);
	if (how == RELAY_DRAIN_MOVE && state->keeper) {
		event_free(state->event);
		state->event = NULL;
		keeper_leave(state->keeper);
		state->keeper = NULL;
		state->mapped = false;
	}
	state->left = how == RELAY_DRAIN_MOVE;
	return 0;
}

static int init(struct relay_ctx *cx, struct relay_err *err)
{
	struct state *state = state_of(cx);

	for (int i = 0; i < METRICS; i++) {
		state->metrics[i] = relay_metric_add(cx, &metrics[i]);
		if (!state->metrics[i])
			return relay_fail(err, "cannot register metric %s",
				metrics[i].name);
	}
	return 0;
}

static void stop(struct relay_ctx *cx)
{
	disable(cx, STOP_MS);
}

RELAY_MODULE = {
	RELAY_MODULE_INFO(
		"nat", "1.0", "maps a port of the gateway, by UPnP or NAT-PMP"),
	.options = options,
	.conf_size = sizeof(struct conf),
	.data_size = sizeof(struct state),
	.init = init,
	.ready = apply,
	.reload = apply,
	.stop = stop,
	.hooks = {.drain = drain},
};
