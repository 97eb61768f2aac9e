/* SPDX-License-Identifier: MPL-2.0 */

/*
 * nat - maps a port of the gateway to the relay, and announces it to clients.
 */

#include "nat.h"

#define STOP_S 5 /* time for the gateway to remove the mapping */

static const char *const family_words[] = {[IPV4] = "ipv4",
	[IPV6] = "ipv6",
	[STATUS_IPV4] = "status-ipv4",
	[STATUS_IPV6] = "status-ipv6",
	NULL};

static const struct relay_option options[] = {
	RELAY_OPT(struct conf, enabled, bool, "enabled", RELAY_BOOL, "no", 0, 0,
		"map an external port by UPnP or NAT-PMP", .flag = "nat",
		.flags = RELAY_OPTION_BASIC),
	RELAY_OPT(struct conf, status, bool, "status", RELAY_BOOL, "no", 0, 0,
		"map the port of the status address, too"),
	RELAY_OPT(struct conf, lease_ms, int64_t, "lease", RELAY_DURATION,
		"60m", 0, 604800000,
		"how long a mapping of a port lasts; 0: without limit",
		.flag = "nat-lease", .flag_unit = "m"),
	RELAY_OPT(struct conf, renewal_ms, int64_t, "renewal", RELAY_DURATION,
		"30m", 1000, 604800000, "time between two renewals",
		.flag = "nat-renewal", .flag_unit = "m"),
	RELAY_OPT(struct conf, timeout_ms, int64_t, "timeout", RELAY_DURATION,
		"10s", 1000, 600000, "how long to search for a gateway",
		.flag = "nat-timeout", .flag_unit = "s"),
	RELAY_OPT(struct conf, check_ms, int64_t, "check", RELAY_DURATION, "1m",
		1000, 86400000,
		"how often the mapping and the external address are checked"),
	RELAY_OPT(struct conf, gateways, const char *const *, "gateway",
		RELAY_LIST, "", 0, HOSTS_MAX,
		"addresses of the gateways to trust; none: those of the "
		"default routes"),
	RELAY_OPT_END};

static int64_t read_mapped(struct relay_ctx *cx, unsigned value)
{
	return state_of(cx)->sides[value].mapped;
}

static const struct relay_metric_def metrics[METRICS] = {
	[METRIC_MAPPED] = {.name = "mapped",
		.help = "1: a gateway forwards a port to the server; 0: none "
			"does.",
		.kind = RELAY_GAUGE,
		.label = "family",
		.values = family_words,
		.read = read_mapped},
	[METRIC_CHANGES] = {.name = "changes",
		.help = "How often the external address or port has changed.",
		.kind = RELAY_COUNTER,
		.label = "family",
		.values = family_words},
	[METRIC_FAILURES] = {.name = "failures",
		.help = "How often mapping a port began to fail; a series of "
			"failures counts once.",
		.kind = RELAY_COUNTER,
		.label = "family",
		.values = family_words},
	[METRIC_REFUSED] = {.name = "refused",
		.help = "Answers that were rejected, from gateways or from "
			"hosts that claimed to be one, by reason.",
		.kind = RELAY_COUNTER,
		.label = "reason",
		.values = refusal_words},
};

static int check(const void *values, struct relay_err *err)
{
	struct hosts hosts;

	return sides_read_gateways(values, &hosts, err);
}

static int init(struct relay_ctx *cx, struct relay_err *err)
{
	return relay_metrics_add(
		cx, metrics, METRICS, state_of(cx)->metrics, err);
}

static int reload_prepare(
	struct relay_ctx *cx, const void *conf, struct relay_err *err)
{
	/* Another process owns the mappings; its own reload changes them. */
	return state_of(cx)->left ? 0 : sides_prepare(cx, conf, err);
}

static void reload_commit(struct relay_ctx *cx)
{
	if (!state_of(cx)->left)
		sides_commit(cx);
}

static void reload(struct relay_ctx *cx)
{
	if (!state_of(cx)->left)
		sides_settle(cx);
}

/* The new process of an upgrade maps the same port, so do not remove it. */
static int64_t drain(struct relay_ctx *cx, enum relay_drain how)
{
	struct state *state = state_of(cx);

	if (how == RELAY_DRAIN_NONE && state->left)
		sides_apply(cx);
	if (how == RELAY_DRAIN_MOVE)
		sides_leave(cx);
	state->left = how == RELAY_DRAIN_MOVE;
	return 0;
}

static void stop(struct relay_ctx *cx)
{
	/* The server stops: wait for the gateways. */
	sides_end(cx, event_base_got_break(relay_event_base(cx)) ? STOP_S : 0);
}

RELAY_MODULE = {
	RELAY_MODULE_INFO("nat", "1.0",
		"maps a port of the gateway, by UPnP or NAT-PMP; opens IPv6 "
		"pinholes"),
	.options = options,
	.flags = RELAY_CONFINED,
	.conf_size = sizeof(struct conf),
	.data_size = sizeof(struct state),
	.check = check,
	.init = init,
	.ready = sides_apply,
	.reload = reload,
	.stop = stop,
	.hooks = {.drain = drain,
		.reload_prepare = reload_prepare,
		.reload_commit = reload_commit,
		.reload_abandon = sides_abandon},
};
