/* SPDX-License-Identifier: MPL-2.0 */

/* News from keepers: logged, counted, and announced to clients. */

#include <arpa/inet.h>
#include <string.h>
#include <unistd.h>

#include "nat.h"
#include "external_address.h"
#include "relay/service.h"

static const struct relay_service *find_relay(
	struct relay_ctx *cx, struct relay_ctx **self)
{
	return relay_service_find(
		cx, RELAY_SERVICE, RELAY_SERVICE_VERSION, self);
}

void news_forget(struct relay_ctx *cx, int number)
{
	struct side *side = &state_of(cx)->sides[number];
	struct relay_ctx *self;
	const struct relay_service *relay = find_relay(cx, &self);

	if (side->mapped && relay)
		(side_is_status(number) ? relay->clear_external_status
					: relay->clear_external)(
			self, address_family(number));
	side->mapped = false;
}

static void announce(const struct relay_service *relay, struct relay_ctx *self,
	int number, const struct sockaddr_storage *outer, uint16_t port)
{
	if (side_is_status(number))
		relay->set_external_status(self, outer);
	else
		relay->set_external(self, outer, port);
}

static void tell_relay(struct relay_ctx *cx, int number,
	const struct sockaddr_storage *outer, uint16_t port)
{
	struct side *side = &state_of(cx)->sides[number];
	struct relay_ctx *self;
	const struct relay_service *relay = find_relay(cx, &self);

	/* Both were zeroed before they were filled. */
	if (memcmp(&side->outer, outer, sizeof(*outer)) != 0)
		relay_metric_inc(cx, state_of(cx)->metrics[METRIC_CHANGES],
			(unsigned)number, 1);
	side->mapped = true;
	side->outer = *outer;
	if (relay)
		announce(relay, self, number, outer, port);
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

static void mapped_v4(
	struct relay_ctx *cx, int number, const struct keeper_news *news)
{
	char text[INET_ADDRSTRLEN] = "?";
	struct sockaddr_storage outer = news->mapping.outer;
	struct refusals refusals = {.counts = {0}};
	struct sockaddr_in v4;

	memcpy(&v4, &outer, sizeof(v4));
	(void)inet_ntop(AF_INET, &v4.sin_addr, text, sizeof(text));
	relay_log(cx, RELAY_NOTICE, "%s maps port %u of %s to %s",
		news->mapping.protocol, (unsigned)ntohs(v4.sin_port), text,
		side_is_status(number) ? "the status address" : "this relay");
	if (!external_address_is_usable(v4.sin_addr, &refusals)) {
		v4.sin_addr.s_addr = INADDR_ANY;
		say_refused(cx, &refusals);
	}
	memcpy(&outer, &v4, sizeof(v4));
	tell_relay(cx, number, &outer, news->port);
}

static void mapped_v6(
	struct relay_ctx *cx, int number, const struct keeper_news *news)
{
	char text[INET6_ADDRSTRLEN] = "?";
	struct sockaddr_in6 v6;

	memcpy(&v6, &news->mapping.outer, sizeof(v6));
	(void)inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof(text));
	relay_log(cx, RELAY_NOTICE, "%s: port %u of %s is open to the outside",
		news->mapping.protocol, (unsigned)ntohs(v6.sin6_port), text);
	tell_relay(cx, number, &news->mapping.outer, news->port);
}

static void take(
	struct relay_ctx *cx, int number, const struct keeper_news *news)
{
	static const char *const whats[SIDES] = {
		[IPV4] = "port",
		[IPV6] = "IPv6 pinhole",
		[STATUS_IPV4] = "port of the status address",
		[STATUS_IPV6] = "IPv6 pinhole of the status address",
	};

	switch (news->what) {
	case KEEPER_MAPPED:
		(side_is_v6(number) ? mapped_v6 : mapped_v4)(cx, number, news);
		break;
	case KEEPER_LOST:
		relay_log(cx, RELAY_WARNING, "the mapped %s is lost: %s",
			whats[number], news->why.text);
		news_forget(cx, number);
		break;
	case KEEPER_FAILED:
	case KEEPER_ABSENT:
		/* Without IPv6, or a firewall to open, nothing is missing. */
		relay_log(cx,
			side_is_v6(number) && news->what == KEEPER_ABSENT
				? RELAY_INFO
				: RELAY_WARNING,
			"no %s is mapped: %s; tries again", whats[number],
			news->why.text);
		relay_metric_inc(cx, state_of(cx)->metrics[METRIC_FAILURES],
			(unsigned)number, 1);
		break;
	}
}

static void hear(struct relay_ctx *cx, const void *arg)
{
	struct keeper_news news;
	struct refusals refusals;

	(void)arg;
	for (int i = 0; i < SIDES; i++) {
		struct keeper *keeper = state_of(cx)->sides[i].now.keeper;

		while (keeper && keeper_hear(keeper, &news))
			take(cx, i, &news);
		if (!keeper)
			continue;
		keeper_refusals(keeper, &refusals);
		say_refused(cx, &refusals);
	}
}

/* Called by libevent; the rest runs as a call of the module. */
void news_arrive(evutil_socket_t fd, short what, void *arg)
{
	uint64_t count;

	(void)what;
	/* Otherwise the eventfd would stay readable, and this would be called
	 * again. */
	if (read(fd, &count, sizeof(count)) < 0)
		return;
	if (relay_post(arg, RELAY_CONTROL, hear, NULL, 0) != 0)
		hear(arg, NULL);
}
