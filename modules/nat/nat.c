/* SPDX-License-Identifier: MPL-2.0 */

/* nat - has gateways lead a port to the relay, and tells clients of it. */

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include <strelaysrv/module.h>

#include "../relay/service.h"
#include "keeper.h"
#include "outer.h"
#include "own_port.h"

#define STOP_S 5 /* for a gateway to take the port back */
#define DAY_MS 86400000

struct conf {
	bool enabled;
	int64_t lease_ms;
	int64_t renewal_ms;
	int64_t timeout_ms;
	int64_t check_ms;
	const char *const *gateways;
};

enum {
	METRIC_MAPPED,
	METRIC_CHANGES,
	METRIC_FAILURES,
	METRIC_REFUSED,
	METRICS
};

/* A port of the gateway's for IPv4, a hole in its firewall for IPv6. */
enum { IPV4, IPV6, FAMILIES };

struct side {
	struct keeper *keeper; /* NULL: none is needed */
	struct event *event;   /* of its news */
	bool mapped;
	struct sockaddr_storage outer; /* as it was told last */
};

/* [C] only. */
struct state {
	struct side sides[FAMILIES];
	struct relay_metric *metrics[METRICS];
	struct relay_log_kind refused[REFUSALS];
	bool left; /* to another process */
};

static const char *const family_words[] = {
	[IPV4] = "ipv4", [IPV6] = "ipv6", NULL};

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
	RELAY_OPT(struct conf, gateways, const char *const *, "gateway",
		RELAY_LIST, "", 0, HOSTS_MAX,
		"addresses of the gateways that are believed; none: those of "
		"the default routes"),
	RELAY_OPT_END};

static struct state *state_of(const struct relay_ctx *cx)
{
	return cx->data;
}

static int64_t read_mapped(struct relay_ctx *cx, unsigned value)
{
	return state_of(cx)->sides[value].mapped;
}

static const struct relay_metric_def metrics[METRICS] = {
	[METRIC_MAPPED] = {.name = "mapped",
		.help = "Whether a gateway leads clients to the relay.",
		.kind = RELAY_GAUGE,
		.label = "family",
		.values = family_words,
		.read = read_mapped},
	[METRIC_CHANGES] = {.name = "changes",
		.help = "Times that the external address or port became "
			"another one.",
		.kind = RELAY_COUNTER,
		.label = "family",
		.values = family_words},
	[METRIC_FAILURES] = {.name = "failures",
		.help = "Times that gateways began to fail.",
		.kind = RELAY_COUNTER,
		.label = "family",
		.values = family_words},
	[METRIC_REFUSED] = {.name = "refused",
		.help = "What gateways, or hosts that pretended to be one, "
			"said in vain.",
		.kind = RELAY_COUNTER,
		.label = "reason",
		.values = refusal_words},
};

static int address_family(int family)
{
	return family == IPV6 ? AF_INET6 : AF_INET;
}

/* What clients are told. */

static const struct relay_service *find_relay(
	struct relay_ctx *cx, struct relay_ctx **self)
{
	return relay_service_find(
		cx, RELAY_SERVICE, RELAY_SERVICE_VERSION, self);
}

static void forget(struct relay_ctx *cx, int family)
{
	struct side *side = &state_of(cx)->sides[family];
	struct relay_ctx *self;
	const struct relay_service *relay = find_relay(cx, &self);

	if (side->mapped && relay)
		relay->clear_external(self, address_family(family));
	side->mapped = false;
}

static void tell_relay(
	struct relay_ctx *cx, int family, const struct sockaddr_storage *outer)
{
	struct side *side = &state_of(cx)->sides[family];
	struct relay_ctx *self;
	const struct relay_service *relay = find_relay(cx, &self);

	/* Both were zeroed before they were filled. */
	if (memcmp(&side->outer, outer, sizeof(*outer)) != 0)
		relay_metric_inc(cx, state_of(cx)->metrics[METRIC_CHANGES],
			(unsigned)family, 1);
	side->mapped = true;
	side->outer = *outer;
	if (relay)
		relay->set_external(self, outer);
}

static void say_refused(struct relay_ctx *cx, const struct refusals *refusals)
{
	struct state *state = state_of(cx);

	for (unsigned i = 0; i < REFUSALS; i++) {
		if (!refusals->counts[i])
			continue;
		relay_metric_inc(cx, state->metrics[METRIC_REFUSED], i,
			refusals->counts[i]);
		relay_log_seldom(cx, RELAY_WARNING, &state->refused[i],
			"refused: %s", refusals->last[i].text);
	}
}

static void mapped_v4(struct relay_ctx *cx, const struct keeper_news *news)
{
	char text[INET_ADDRSTRLEN] = "?";
	struct sockaddr_storage outer = news->mapping.outer;
	struct refusals refusals = {.counts = {0}};
	struct sockaddr_in v4;

	memcpy(&v4, &outer, sizeof(v4));
	(void)inet_ntop(AF_INET, &v4.sin_addr, text, sizeof(text));
	relay_log(cx, RELAY_NOTICE, "%s maps port %u of %s to this relay",
		news->mapping.protocol, (unsigned)ntohs(v4.sin_port), text);
	if (!outer_reaches_us(v4.sin_addr, &refusals)) {
		v4.sin_addr.s_addr = INADDR_ANY;
		say_refused(cx, &refusals);
	}
	memcpy(&outer, &v4, sizeof(v4));
	tell_relay(cx, IPV4, &outer);
}

static void mapped_v6(struct relay_ctx *cx, const struct keeper_news *news)
{
	char text[INET6_ADDRSTRLEN] = "?";
	struct sockaddr_in6 v6;

	memcpy(&v6, &news->mapping.outer, sizeof(v6));
	(void)inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof(text));
	relay_log(cx, RELAY_NOTICE, "%s: port %u of %s is open to the outside",
		news->mapping.protocol, (unsigned)ntohs(v6.sin6_port), text);
	tell_relay(cx, IPV6, &news->mapping.outer);
}

static void take(
	struct relay_ctx *cx, int family, const struct keeper_news *news)
{
	const char *what = family == IPV6 ? "IPv6 pinhole" : "port";

	switch (news->what) {
	case KEEPER_MAPPED:
		(family == IPV6 ? mapped_v6 : mapped_v4)(cx, news);
		break;
	case KEEPER_LOST:
		relay_log(cx, RELAY_WARNING, "the mapped %s is lost: %s", what,
			news->why.text);
		forget(cx, family);
		break;
	case KEEPER_FAILED:
	case KEEPER_ABSENT:
		/* Without IPv6, or a firewall to open, nothing is missing. */
		relay_log(cx,
			family == IPV6 && news->what == KEEPER_ABSENT
				? RELAY_INFO
				: RELAY_WARNING,
			"no %s is mapped: %s; tries again", what,
			news->why.text);
		relay_metric_inc(cx, state_of(cx)->metrics[METRIC_FAILURES],
			(unsigned)family, 1);
		break;
	}
}

static void hear(struct relay_ctx *cx, const void *arg)
{
	struct keeper_news news;
	struct refusals refusals;

	(void)arg;
	for (int i = 0; i < FAMILIES; i++) {
		struct keeper *keeper = state_of(cx)->sides[i].keeper;

		while (keeper && keeper_hear(keeper, &news))
			take(cx, i, &news);
		if (!keeper)
			continue;
		keeper_refusals(keeper, &refusals);
		say_refused(cx, &refusals);
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

/* A pinhole cannot be asked for longer. */
static int64_t lease_of(const struct conf *conf, int family)
{
	if (family == IPV6 && (!conf->lease_ms || conf->lease_ms > DAY_MS))
		return DAY_MS;
	return conf->lease_ms;
}

static int read_gateways(
	const struct conf *conf, struct hosts *out, struct relay_err *err)
{
	out->count = 0;
	for (const char *const *text = conf->gateways; *text; text++)
		if (host_read(*text, 0, &out->list[out->count++]) != 0)
			return relay_fail(err,
				"gateway: \"%.60s\" is no address; 192.168.1.1 "
				"and 2001:db8::1 are right",
				*text);
	return 0;
}

static int check(const void *values, struct relay_err *err)
{
	struct hosts hosts;

	return read_gateways(values, &hosts, err);
}

static void fill(
	const struct relay_ctx *cx, int family, struct keeper_conf *out)
{
	const struct conf *conf = cx->conf;

	out->ops = family == IPV6 ? &gateway_pinhole : &gateway_port;
	out->timeout_ms = conf->timeout_ms;
	(void)read_gateways(conf, &out->gateways, NULL); /* it was checked */
	out->schedule = (struct schedule){.lease_ms = lease_of(conf, family),
		.renewal_ms = conf->renewal_ms,
		.check_ms = conf->check_ms};
}

static int listen_to(
	struct relay_ctx *cx, struct side *side, struct relay_err *err)
{
	side->event = event_new(relay_event_base(cx), keeper_fd(side->keeper),
		EV_READ | EV_PERSIST, has_news, cx);
	if (side->event && event_add(side->event, NULL) == 0)
		return 0;
	if (side->event)
		event_free(side->event);
	side->event = NULL;
	keeper_stop(side->keeper);
	keeper_free(side->keeper, NULL);
	side->keeper = NULL;
	return relay_fail(err, "out of memory");
}

static void enable(
	struct relay_ctx *cx, int family, const struct keeper_conf *conf)
{
	struct side *side = &state_of(cx)->sides[family];
	struct relay_err err;

	side->keeper = keeper_start(conf, &err);
	if (!side->keeper || listen_to(cx, side, &err) != 0)
		relay_log(cx, RELAY_WARNING, "maps no %s: %s",
			family == IPV6 ? "IPv6 pinhole" : "port", err.text);
}

static void stop_side(struct side *side)
{
	if (side->event)
		event_free(side->event);
	side->event = NULL;
	keeper_stop(side->keeper);
}

/* All at once, so that slow gateways take their time together. */
static void stop_sides(struct relay_ctx *cx, time_t wait_s)
{
	struct side *sides = state_of(cx)->sides;
	struct timespec until;

	if (clock_gettime(CLOCK_MONOTONIC, &until) != 0)
		until.tv_sec = until.tv_nsec = 0;
	until.tv_sec += wait_s;
	for (int i = 0; i < FAMILIES; i++)
		stop_side(&sides[i]);
	for (int i = 0; i < FAMILIES; i++) {
		keeper_free(sides[i].keeper, &until);
		sides[i].keeper = NULL;
	}
}

/* The gateway is given the time to forget it, but nobody waits for that. */
static void disable(struct relay_ctx *cx, int family)
{
	struct side *side = &state_of(cx)->sides[family];

	stop_side(side);
	keeper_free(side->keeper, NULL);
	side->keeper = NULL;
	forget(cx, family);
}

static void apply_to(struct relay_ctx *cx, int family)
{
	const struct conf *conf = cx->conf;
	struct keeper *keeper = state_of(cx)->sides[family].keeper;
	struct keeper_conf next = {.port = 0};

	fill(cx, family, &next);
	if (!conf->enabled) {
		disable(cx, family);
	} else if (!own_port_find(cx, address_family(family), &next)) {
		disable(cx, family);
		if (family == IPV4)
			relay_log(cx, RELAY_WARNING,
				"maps no port: the relay listens on no IPv4 "
				"address that a gateway could reach");
	} else if (keeper) {
		keeper_configure(keeper, &next);
	} else {
		enable(cx, family, &next);
	}
}

static void apply(struct relay_ctx *cx)
{
	for (int i = 0; i < FAMILIES; i++)
		apply_to(cx, i);
}

static void leave_side(struct side *side)
{
	if (!side->keeper)
		return;
	keeper_leave(side->keeper);
	stop_side(side);
	keeper_free(side->keeper, NULL);
	side->keeper = NULL;
	side->mapped = false;
}

/* A process that takes over maps the same port, and would lose it with us. */
static int64_t drain(struct relay_ctx *cx, enum relay_drain how)
{
	struct state *state = state_of(cx);

	if (how == RELAY_DRAIN_NONE && state->left)
		apply(cx);
	for (int i = 0; how == RELAY_DRAIN_MOVE && i < FAMILIES; i++)
		leave_side(&state->sides[i]);
	state->left = how == RELAY_DRAIN_MOVE;
	return 0;
}

static int init(struct relay_ctx *cx, struct relay_err *err)
{
	return relay_metrics_add(
		cx, metrics, METRICS, state_of(cx)->metrics, err);
}

static void stop(struct relay_ctx *cx)
{
	/* The server ends, and takes its time for the gateways. */
	if (event_base_got_break(relay_event_base(cx)))
		stop_sides(cx, STOP_S);
	else
		for (int i = 0; i < FAMILIES; i++)
			disable(cx, i);
}

RELAY_MODULE = {
	RELAY_MODULE_INFO("nat", "1.0",
		"maps a port of the gateway, by UPnP or NAT-PMP; opens IPv6 "
		"pinholes"),
	.options = options,
	.conf_size = sizeof(struct conf),
	.data_size = sizeof(struct state),
	.check = check,
	.init = init,
	.ready = apply,
	.reload = apply,
	.stop = stop,
	.hooks = {.drain = drain},
};
