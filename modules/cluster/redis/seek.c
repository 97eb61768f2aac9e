/* SPDX-License-Identifier: MPL-2.0 */

/* The way to a server: name, connection, greeting, subscription. */

#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/un.h>

#include <strelaysrv/log.h>

#include "cluster/redis/backoff.h"
#include "cluster/redis/registry_state.h"
#include "shared/lookup.h"
#include "shared/pace.h"

#define LOOKUP_TICK_MS  20
#define SAID_PER_MINUTE 6

static void enter(struct redis_registry *registry, enum stage stage)
{
	registry->stage = stage;
	registry->deadline_us = talk_now_us() + registry->connect_us;
	standing_timer_set(&registry->timer,
		stage == STAGE_LOOKUP ? LOOKUP_TICK_MS : TICK_MS);
}

int seek_connect(struct redis_registry *registry, struct talk *talk,
	struct relay_err *err)
{
	const struct address *address = &registry->address[registry->at];

	return wire_open(&talk->wire, registry->base,
		(const struct sockaddr *)&address->to, address->len,
		registry->tls,
		registry->server.port ? registry->server.host : NULL, err);
}

/* After a handshake that has failed, the certificates are read again: there may
 * be new ones; and OpenSSL goes on with what it has read when memory was short.
 */
static int renew_tls(struct redis_registry *registry, struct relay_err *err)
{
	struct ssl_ctx_st *tls;

	if (!registry->tls_failed)
		return 0;
	tls = tls_context(registry->ca_file, err);
	if (!tls)
		return -1;
	tls_context_free(registry->tls);
	registry->tls = tls;
	registry->tls_failed = false;
	return 0;
}

/* With this address, or the first after it that does not fail at once. */
static void connect_main(struct redis_registry *registry)
{
	struct relay_err err = {"it has no address"};

	enter(registry, STAGE_CONNECT);
	for (; registry->at < registry->addresses; registry->at++)
		if (renew_tls(registry, &err) == 0 &&
			seek_connect(registry, &registry->main, &err) == 0)
			return;
	seek_failed(registry, "%s", err.text);
}

static void take_addresses(
	struct redis_registry *registry, const struct addrinfo *list)
{
	registry->addresses = registry->at = 0;
	for (; list && registry->addresses < ADDRESSES; list = list->ai_next) {
		struct address *address =
			&registry->address[registry->addresses];

		if (list->ai_addrlen > sizeof(address->to))
			continue;
		memcpy(&address->to, list->ai_addr, list->ai_addrlen);
		address->len = list->ai_addrlen;
		registry->addresses++;
	}
	connect_main(registry);
}

static void take_path(struct redis_registry *registry)
{
	struct sockaddr_un *to = (struct sockaddr_un *)&registry->address[0].to;

	/* Its length has been checked. */
	*to = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(to->sun_path, registry->server.host,
		strnlen(registry->server.host, sizeof(to->sun_path) - 1));
	registry->address[0].len = sizeof(*to);
	registry->addresses = 1;
	registry->at = 0;
	connect_main(registry);
}

/* An address needs no name server.  Whether it is one. */
static bool take_numeric(struct redis_registry *registry, const char *port)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
	struct addrinfo *list;

	if (getaddrinfo(registry->server.host, port, &hints, &list) != 0)
		return false;
	take_addresses(registry, list);
	freeaddrinfo(list);
	return true;
}

static void try_next(struct redis_registry *registry)
{
	char port[8];

	registry->server = servers_next(&registry->servers);
	server_text(&registry->server, registry->server_text);
	if (!registry->server.port) {
		take_path(registry);
		return;
	}
	(void)snprintf(
		port, sizeof(port), "%u", (unsigned)registry->server.port);
	if (take_numeric(registry, port))
		return;
	enter(registry, STAGE_LOOKUP);
	registry->lookup = names_lookup(&registry->names, &registry->server);
	if (!registry->lookup)
		seek_failed(registry, "no name can be looked up: name servers "
				      "do not answer, or memory is short");
}

static void look_up(struct redis_registry *registry)
{
	const struct addrinfo *list = NULL;
	struct lookup *lookup = registry->lookup;
	int error = lookup_result(lookup, &list);

	if (error == EAI_INPROGRESS) {
		standing_timer_set(&registry->timer, LOOKUP_TICK_MS);
		return;
	}
	registry->lookup = NULL;
	if (error)
		seek_failed(registry, "its name is not found: %s",
			gai_strerror(error));
	else
		take_addresses(registry, list);
	names_end(&registry->names, lookup);
}

void seek_begin(struct redis_registry *registry, int64_t after_ms)
{
	registry->stage = STAGE_PAUSE;
	standing_timer_set(&registry->timer, after_ms);
}

static const char *what_takes_long(enum stage stage)
{
	switch (stage) {
	case STAGE_LOOKUP:
		return "its name is looked up for too long";
	case STAGE_CONNECT:
		return "it does not accept a connection";
	case STAGE_GREET:
		return "it accepts a connection, but does not answer";
	default:
		return "it does not answer the subscription";
	}
}

void seek_tick(struct redis_registry *registry)
{
	if (registry->stage == STAGE_PAUSE) {
		try_next(registry);
		return;
	}
	standing_timer_set(&registry->timer, TICK_MS);
	if (talk_now_us() >= registry->deadline_us)
		seek_failed(registry, "%s", what_takes_long(registry->stage));
	else if (registry->stage == STAGE_LOOKUP)
		look_up(registry);
}

static uint32_t chance(void)
{
	uint32_t number;

	/* Without it, nodes may come at the same time, which does no harm. */
	if (getrandom(&number, sizeof(number), GRND_NONBLOCK) !=
		(ssize_t)sizeof(number))
		number = UINT32_MAX / 2;
	return number;
}

/* Everything ends; whether it was here until now. */
static bool leave(struct redis_registry *registry)
{
	bool was_here = registry->stage == STAGE_HERE;
	struct asked asked;

	/* First of all, so that nothing is asked while the rest is told. */
	registry->stage = STAGE_PAUSE;
	registry->slow = false;
	registry->lookup = NULL;
	talk_close(&registry->main);
	talk_close(&registry->sub);
	while (asked_pop(&registry->main.queue, &asked))
		if (!asked.given_up)
			answers_take(registry, &asked, NULL);
	while (asked_pop(&registry->sub.queue, &asked))
		;
	return was_here;
}

/* While none is found, new reasons are logged, though not for ever: servers may
 * fail in turn for different ones. */
static void say_failed(struct redis_registry *registry, const char *text)
{
	bool again = strcmp(registry->said_failed, text) == 0;

	(void)snprintf(registry->said_failed, sizeof(registry->said_failed),
		"%s", text);
	if (!again && pace_spend(&registry->said_ms, SAID_PER_MINUTE,
			      PACE_MINUTE_MS, talk_now_us() / 1000))
		registry_say(registry, RELAY_WARNING, "%s", text);
}

static void tell_away(struct redis_registry *registry, const char *text)
{
	registry->away_told = true;
	(void)snprintf(registry->said_failed, sizeof(registry->said_failed),
		"%s", text);
	registry->calls.away(registry->arg, text);
}

void seek_failed(struct redis_registry *registry, const char *fmt, ...)
{
	char why[160];
	struct relay_err text;
	bool was_here, round;
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	relay_fail(&text, "%s: %s", registry->server_text, why);
	if (registry->stage == STAGE_CONNECT && registry->tls &&
		registry->main.wire.connected)
		registry->tls_failed = true;
	if (registry->stage == STAGE_CONNECT &&
		registry->at + 1 < registry->addresses) {
		talk_close(&registry->main);
		registry->at++;
		connect_main(registry);
		return;
	}
	was_here = leave(registry);
	/* One that has been lost is the first to be tried again. */
	round = was_here || servers_failed(&registry->servers);
	if (round && !registry->away_told)
		tell_away(registry, text.text);
	else
		say_failed(registry, text.text);
	seek_begin(registry,
		round ? backoff_ms(registry->failures++, chance()) : 0);
}

void seek_passed_over(struct redis_registry *registry, const char *why)
{
	(void)servers_failed(&registry->servers);
	seek_failed(registry, "%s", why);
}

void seek_led(struct redis_registry *registry, const void *host, size_t len,
	uint64_t port, const char *why)
{
	struct relay_err text;

	if (servers_lead(&registry->servers, host, len, port) != 0) {
		seek_failed(registry, "%s", why);
		return;
	}
	relay_fail(&text, "%s: %s", registry->server_text, why);
	if (leave(registry) && !registry->away_told)
		tell_away(registry, text.text);
	seek_begin(registry, 0);
}

void seek_greeted(struct redis_registry *registry)
{
	struct relay_err err;

	registry->subscribed = 0;
	enter(registry, STAGE_SUBSCRIBE);
	if (seek_connect(registry, &registry->sub, &err) != 0)
		seek_failed(registry, "%s", err.text);
}
