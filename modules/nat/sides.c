/* SPDX-License-Identifier: MPL-2.0 */

/* What is mapped: ports by IPv4, pinholes by IPv6; each by its own keeper. */

#include <time.h>

#include "nat.h"
#include "own_port.h"

#define DAY_MS 86400000

/* the longest lease of a pinhole */
static int64_t lease_of(const struct conf *conf, int side)
{
	if (side_is_v6(side) && (!conf->lease_ms || conf->lease_ms > DAY_MS))
		return DAY_MS;
	return conf->lease_ms;
}

int sides_read_gateways(
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

static int fill(const struct conf *conf, int side, struct keeper_conf *out,
	struct relay_err *err)
{
	*out = (struct keeper_conf){
		.ops = side_is_v6(side) ? &gateway_pinhole : &gateway_port,
		.timeout_ms = conf->timeout_ms,
		.schedule = {.lease_ms = lease_of(conf, side),
			.renewal_ms = conf->renewal_ms,
			.check_ms = conf->check_ms},
	};
	return sides_read_gateways(conf, &out->gateways, err);
}

/* Starts to remove the mapping. */
static void stop(struct side_keeper *side)
{
	if (side->event)
		event_free(side->event);
	side->event = NULL;
	keeper_stop(side->keeper);
}

/* until: how long to wait for the removal, see keeper_free(). */
static void release(struct side_keeper *side, const struct timespec *until)
{
	stop(side);
	keeper_free(side->keeper, until);
	side->keeper = NULL;
}

static int make(struct relay_ctx *cx, const struct keeper_conf *conf,
	struct side_keeper *out, struct relay_err *err)
{
	out->keeper = keeper_make(conf, err);
	if (!out->keeper)
		return -1;
	out->event = event_new(relay_event_base(cx), keeper_fd(out->keeper),
		EV_READ | EV_PERSIST, news_arrive, cx);
	if (out->event && event_add(out->event, NULL) == 0)
		return 0;
	release(out, NULL);
	return relay_fail(err, "out of memory");
}

static bool find_port(struct relay_ctx *cx, int side, struct keeper_conf *out)
{
	return side_is_status(side)
		       ? own_port_find_status(cx, address_family(side), out)
		       : own_port_find(cx, address_family(side), out);
}

/* The port of the status address is only known in sides_settle(). */
static bool is_wanted(struct relay_ctx *cx, const struct conf *conf, int side,
	struct keeper_conf *out)
{
	if (!conf->enabled || (side_is_status(side) && !conf->status))
		return false;
	return find_port(cx, side, out) || side_is_status(side);
}

static int prepare(struct relay_ctx *cx, const struct conf *conf, int number,
	struct relay_err *err)
{
	struct side *side = &state_of(cx)->sides[number];
	struct relay_err why;

	if (fill(conf, number, &side->next_conf, err) != 0)
		return -1;
	side->next_wanted = is_wanted(cx, conf, number, &side->next_conf);
	if (!side->next_wanted || side->now.keeper ||
		make(cx, &side->next_conf, &side->next, &why) == 0)
		return 0;
	return relay_fail(err, "maps no %s: %.200s",
		side_is_v6(number) ? "IPv6 pinhole" : "port", why.text);
}

int sides_prepare(
	struct relay_ctx *cx, const struct conf *conf, struct relay_err *err)
{
	for (int i = 0; i < SIDES; i++)
		if (prepare(cx, conf, i, err) != 0) {
			sides_abandon(cx);
			return -1;
		}
	return 0;
}

void sides_abandon(struct relay_ctx *cx)
{
	for (int i = 0; i < SIDES; i++)
		release(&state_of(cx)->sides[i].next, NULL);
}

/* The keeper's thread removes the mapping in the background. */
static void disable(struct relay_ctx *cx, int number)
{
	release(&state_of(cx)->sides[number].now, NULL);
	news_forget(cx, number);
}

/* IPv6 is often missing, so that is not logged. */
static void tell_unreachable(struct relay_ctx *cx, int number)
{
	const struct conf *conf = cx->conf;

	if (conf->enabled && number == IPV4)
		relay_log(cx, RELAY_WARNING,
			"maps no port: the relay listens on no IPv4 address "
			"that a gateway could reach, or only proxies may "
			"connect to it");
	if (conf->enabled && conf->status && number == STATUS_IPV4)
		relay_log(cx, RELAY_WARNING,
			"maps no port for the status address: a gateway could "
			"not reach it by IPv4");
}

static void commit(struct relay_ctx *cx, int number)
{
	struct side *side = &state_of(cx)->sides[number];

	if (side->next_wanted && side_is_status(number))
		side->next_wanted = find_port(cx, number, &side->next_conf);
	if (!side->next_wanted) {
		release(&side->next, NULL);
		disable(cx, number);
		tell_unreachable(cx, number);
	} else if (side->now.keeper) {
		keeper_configure(side->now.keeper, &side->next_conf);
	} else {
		side->now = side->next;
		side->next = (struct side_keeper){NULL, NULL};
		keeper_configure(side->now.keeper, &side->next_conf);
		keeper_begin(side->now.keeper);
	}
}

void sides_commit(struct relay_ctx *cx)
{
	for (int i = 0; i < SIDES; i++)
		if (!side_is_status(i))
			commit(cx, i);
}

void sides_settle(struct relay_ctx *cx)
{
	for (int i = 0; i < SIDES; i++)
		if (side_is_status(i))
			commit(cx, i);
}

void sides_apply(struct relay_ctx *cx)
{
	struct relay_err err;

	for (int i = 0; i < SIDES; i++)
		if (prepare(cx, cx->conf, i, &err) == 0)
			commit(cx, i);
		else
			relay_log(cx, RELAY_WARNING, "%s", err.text);
}

/* All keepers stop first, so that slow gateways answer at the same time. */
static void end_all(struct relay_ctx *cx, time_t wait_s)
{
	struct side *sides = state_of(cx)->sides;
	struct timespec until;

	if (clock_gettime(CLOCK_MONOTONIC, &until) != 0)
		until.tv_sec = until.tv_nsec = 0;
	until.tv_sec += wait_s;
	for (int i = 0; i < SIDES; i++)
		stop(&sides[i].now);
	for (int i = 0; i < SIDES; i++)
		release(&sides[i].now, &until);
}

void sides_end(struct relay_ctx *cx, time_t wait_s)
{
	if (wait_s)
		end_all(cx, wait_s);
	else
		for (int i = 0; i < SIDES; i++)
			disable(cx, i);
}

void sides_leave(struct relay_ctx *cx)
{
	for (int i = 0; i < SIDES; i++) {
		struct side *side = &state_of(cx)->sides[i];

		if (!side->now.keeper)
			continue;
		keeper_leave(side->now.keeper);
		release(&side->now, NULL);
		side->mapped = false;
	}
}
