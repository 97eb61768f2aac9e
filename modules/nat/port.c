/* SPDX-License-Identifier: MPL-2.0 */

/* IPv4: maps a port of the gateway by UPnP, or else by NAT-PMP. */

#include <stdlib.h>
#include <string.h>

#include "gateway.h"
#include "shared/monotonic.h"
#include "pmp.h"
#include "schedule.h"
#include "upnp.h"

#define PMP_SHARE 4 /* part of the timeout; UPnP gets the rest */
#define UNMAP_MS  2000
#define STRIDE    0x9e3779b9U /* derives many random numbers from one */

struct gateway {
	struct igd igd;
	bool found;           /* the gateway can map ports */
	struct relay_err why; /* if not found */
	bool by_pmp;          /* NAT-PMP works */
	uint16_t outer;       /* the requested port; 0: none yet */
	bool proven;          /* it was mapped before: request it again */
	bool held;            /* mapped by UPnP, as far as known */
	bool held_pmp;
};

static struct gateway *create(void)
{
	return calloc(1, sizeof(struct gateway));
}

static void destroy(struct gateway *gateway)
{
	free(gateway);
}

/* Requesting a port is the cheapest way to detect NAT-PMP. */
static enum gateway_result find(struct gateway *gateway,
	const struct gateway_wish *wish, struct relay_err *err)
{
	int64_t share = wish->timeout_ms - wish->timeout_ms / PMP_SHARE;

	(void)err;
	gateway->held = gateway->by_pmp = false;
	gateway->found =
		upnp_find(&gateway->igd, wish, monotonic_now_ms() + share,
			&gateway->why) == 0;
	if (!gateway->proven)
		gateway->outer = 0;
	return GATEWAY_DONE;
}

static enum gateway_result fill(struct gateway *gateway, const char *protocol,
	const struct sockaddr_in *outer, struct gateway_mapping *out)
{
	memset(out, 0, sizeof(*out));
	memcpy(&out->outer, outer, sizeof(*outer));
	out->protocol = protocol;
	gateway->outer = ntohs(outer->sin_port);
	gateway->proven = true;
	return GATEWAY_DONE;
}

static enum gateway_result map_upnp(struct gateway *gateway,
	const struct gateway_wish *wish, struct gateway_mapping *out,
	struct relay_err *err)
{
	enum gateway_result result = GATEWAY_FAILED;
	struct sockaddr_in outer;

	for (unsigned i = 0; i < SCHEDULE_PORTS; i++) {
		/* First the previous port. */
		if (i > 0 || !gateway->outer)
			gateway->outer = schedule_port(
				wish->port, i, wish->random + i * STRIDE);
		result = upnp_map(&gateway->igd, wish, gateway->outer, &outer,
			&gateway->held, err);
		if (result == GATEWAY_DONE)
			return fill(gateway, "UPnP", &outer, out);
		if (result != GATEWAY_TAKEN)
			break;
	}
	return result;
}

static enum gateway_result map_pmp(struct gateway *gateway,
	const struct gateway_wish *wish, struct gateway_mapping *out,
	struct relay_err *err)
{
	struct sockaddr_in outer;
	int64_t lease_ms;
	enum gateway_result result = pmp_map(wish->timeout_ms / PMP_SHARE, wish,
		gateway->outer ? gateway->outer : wish->port, &outer, &lease_ms,
		err);

	if (result != GATEWAY_DONE)
		return result;
	gateway->held_pmp = gateway->by_pmp = true;
	(void)fill(gateway, "NAT-PMP", &outer, out);
	out->lease_ms = lease_ms;
	return GATEWAY_DONE;
}

static enum gateway_result map(struct gateway *gateway,
	const struct gateway_wish *wish, struct gateway_mapping *out,
	struct relay_err *err)
{
	struct relay_err both, pmp_err;
	enum gateway_result result;

	both = gateway->why;
	if (gateway->found && !gateway->by_pmp) {
		igd_begin(&gateway->igd, wish, wish->timeout_ms);
		result = map_upnp(gateway, wish, out, &both);
		if (result == GATEWAY_DONE)
			return result;
	}
	result = map_pmp(gateway, wish, out, &pmp_err);
	if (result != GATEWAY_DONE)
		(void)relay_fail(
			err, "%.100s; %.100s", both.text, pmp_err.text);
	return result;
}

static enum gateway_result check(struct gateway *gateway,
	const struct gateway_wish *wish, struct gateway_mapping *out,
	struct relay_err *err)
{
	struct sockaddr_in outer;
	enum gateway_result result;

	/* NAT-PMP has no cheaper check than to request the port again. */
	if (gateway->by_pmp || !gateway->found)
		return map_pmp(gateway, wish, out, err);
	igd_begin(&gateway->igd, wish, wish->timeout_ms);
	result = upnp_check(&gateway->igd, wish, gateway->outer, &outer, err);
	return result == GATEWAY_DONE ? fill(gateway, "UPnP", &outer, out)
				      : result;
}

static void unmap(struct gateway *gateway, const struct gateway_wish *wish)
{
	igd_begin(&gateway->igd, wish, UNMAP_MS);
	if (gateway->held)
		upnp_unmap(&gateway->igd, gateway->outer);
	if (gateway->held_pmp)
		pmp_unmap(UNMAP_MS, wish);
	gateway->held = gateway->held_pmp = gateway->proven = false;
	gateway->outer = 0;
}

const struct gateway_ops gateway_port = {
	.create = create,
	.destroy = destroy,
	.find = find,
	.map = map,
	.check = check,
	.unmap = unmap,
};
