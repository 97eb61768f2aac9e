/* SPDX-License-Identifier: MPL-2.0 */

/*
 * IPv6: opens a pinhole in the gateway's firewall by UPnP
 * (WANIPv6FirewallControl).
 */

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <net/if.h>

#include "gateway.h"
#include "global.h"
#include "igd.h"
#include "shared/monotonic.h"

#define TCP "6" /* the protocol's number */

static const char *const kinds[] = {
	"urn:schemas-upnp-org:device:InternetGatewayDevice:1",
	"urn:schemas-upnp-org:service:WANIPv6FirewallControl:1",
	NULL,
};

#define UNMAP_MS 2000

/* Of the protocol. */
#define NOT_AUTHORIZED    606
#define FIREWALL_DISABLED 702

#define NAME "UPnP pinhole"

struct gateway {
	struct igd igd;
	struct global own;
	char client[64]; /* our address, for which the pinhole was opened */
	char id[16];     /* of the pinhole; "": none, or none needed */
};

static struct gateway *create(void)
{
	return calloc(1, sizeof(struct gateway));
}

static void destroy(struct gateway *gateway)
{
	free(gateway);
}

/* Any device type is accepted. */
static bool makes_holes(const struct igd *igd)
{
	return igd->pinholes.type[0] != '\0';
}

/* Some accept pinhole requests only over IPv6. */
static int search(struct gateway *gateway, bool v6,
	const struct gateway_wish *wish, struct relay_err *err)
{
	const struct igd_search search = {.family = v6 ? AF_INET6 : AF_INET,
		.interface = v6 ? if_nametoindex(gateway->own.interface) : 0,
		.kinds = kinds,
		.fits = makes_holes};
	/* Over IPv4 any source address is used. */
	struct gateway_wish any = *wish;

	any.local[0] = '\0';
	return igd_find(&gateway->igd, &search, &any,
		monotonic_now_ms() + wish->timeout_ms / 2, err);
}

static enum gateway_result find(struct gateway *gateway,
	const struct gateway_wish *wish, struct relay_err *err)
{
	struct relay_err why[2];

	gateway->igd.pinholes.type[0] = '\0';
	if (global_find(wish->local, &gateway->own, err) != 0)
		return GATEWAY_ABSENT;
	if (search(gateway, true, wish, &why[0]) == 0 ||
		search(gateway, false, wish, &why[1]) == 0)
		return GATEWAY_DONE;
	(void)relay_fail(err,
		"no gateway offers pinholes (IPv6: %.100s; IPv4: %.100s)",
		why[0].text, why[1].text);
	return GATEWAY_ABSENT;
}

/* Checks the gateway's number of a pinhole, which is copied into requests. */
static int take_id(
	const struct answer *answer, char out[16], struct relay_err *err)
{
	if (igd_value(answer, "UniqueID", out, 16) == 0 && out[0] &&
		strspn(out, "0123456789") == strlen(out))
		return 0;
	out[0] = '\0';
	return relay_fail(
		err, "UPnP AddPinhole: the answer has no ID of a pinhole");
}

static int add(struct gateway *gateway, const struct gateway_wish *wish,
	const char *client, struct relay_err *err)
{
	char port[8], lease[24], id[16];
	const struct igd_arg args[] = {{"RemoteHost", ""}, {"RemotePort", "0"},
		{"InternalClient", client}, {"InternalPort", port},
		{"Protocol", TCP}, {"LeaseTime", lease}, {NULL, NULL}};
	struct answer answer;
	int rc;

	(void)snprintf(port, sizeof(port), "%u", (unsigned)wish->port);
	(void)snprintf(lease, sizeof(lease), "%lld",
		(long long)((wish->lease_ms + 999) / 1000));
	/*
	 * Renews the existing one.  Renewing by number could, on a gateway that
	 * was reset, renew the pinhole of another host.
	 */
	rc = igd_call(&gateway->igd, &gateway->igd.pinholes, "AddPinhole", args,
		&answer, err);
	if (rc == 0)
		rc = take_id(&answer, id, err);
	answer_free(&answer);
	if (rc != 0)
		return rc;
	(void)snprintf(gateway->client, sizeof(gateway->client), "%s", client);
	memcpy(gateway->id, id, sizeof(id));
	return 0;
}

static void take_back(struct gateway *gateway)
{
	const struct igd_arg args[] = {{"UniqueID", gateway->id}, {NULL, NULL}};
	struct relay_err err;

	/* If the gateway does not answer, the lease expires. */
	if (makes_holes(&gateway->igd) && gateway->id[0])
		(void)igd_call(&gateway->igd, &gateway->igd.pinholes,
			"DeletePinhole", args, NULL, &err);
	gateway->id[0] = '\0';
}

static void fill(const struct gateway *gateway, const struct gateway_wish *wish,
	struct gateway_mapping *out)
{
	struct sockaddr_in6 outer = {
		.sin6_family = AF_INET6, .sin6_port = htons(wish->port)};

	memset(out, 0, sizeof(*out));
	out->protocol = NAME;
	(void)inet_pton(AF_INET6, gateway->client, &outer.sin6_addr);
	memcpy(&out->outer, &outer, sizeof(outer));
}

/* No firewall: there is nothing to open or to remove. */
static int open_to_all(struct gateway *gateway)
{
	gateway->id[0] = '\0';
	memcpy(gateway->client, gateway->own.text, sizeof(gateway->client));
	return 0;
}

/* Some do not support this action, but support the others. */
static void ask_firewall(
	const struct gateway *gateway, bool *enabled, bool *allowed)
{
	struct answer answer;
	struct relay_err err;
	char text[8];

	*enabled = *allowed = true;
	if (igd_call(&gateway->igd, &gateway->igd.pinholes, "GetFirewallStatus",
		    NULL, &answer, &err) == 0) {
		if (igd_value(&answer, "FirewallEnabled", text, sizeof(text)) ==
			0)
			*enabled = strcmp(text, "0") != 0;
		if (igd_value(&answer, "InboundPinholeAllowed", text,
			    sizeof(text)) == 0)
			*allowed = strcmp(text, "0") != 0;
	}
	answer_free(&answer);
}

static enum gateway_result map(struct gateway *gateway,
	const struct gateway_wish *wish, struct gateway_mapping *out,
	struct relay_err *err)
{
	const char *seen = gateway->igd.local;
	bool enabled, allowed;
	int rc;

	igd_begin(&gateway->igd, wish, wish->timeout_ms);
	if (global_find(wish->local, &gateway->own, err) != 0)
		return GATEWAY_FAILED;
	ask_firewall(gateway, &enabled, &allowed);
	if (enabled && !allowed) {
		(void)relay_fail(err, "the gateway lets nobody open a pinhole");
		return GATEWAY_FAILED;
	}
	if (strcmp(gateway->client, gateway->own.text) != 0)
		take_back(gateway);
	rc = enabled ? add(gateway, wish, gateway->own.text, err)
		     : FIREWALL_DISABLED;
	/* Many open pinholes only for the source address of the request. */
	if (rc == NOT_AUTHORIZED && !wish->local[0] && global_is(seen) &&
		strcmp(seen, gateway->own.text) != 0)
		rc = add(gateway, wish, seen, err);
	if (rc == FIREWALL_DISABLED)
		rc = open_to_all(gateway);
	if (rc != 0)
		return GATEWAY_FAILED;
	fill(gateway, wish, out);
	return GATEWAY_DONE;
}

static enum gateway_result check(struct gateway *gateway,
	const struct gateway_wish *wish, struct gateway_mapping *out,
	struct relay_err *err)
{
	const struct igd_arg args[] = {{"UniqueID", gateway->id}, {NULL, NULL}};
	struct global now;
	int rc;

	igd_begin(&gateway->igd, wish, wish->timeout_ms);
	if (global_find(wish->local, &now, err) != 0)
		return GATEWAY_FAILED;
	/* Providers may assign a new address every night. */
	if (strcmp(now.text, gateway->own.text) != 0) {
		(void)relay_fail(
			err, "the address of this machine has changed");
		return GATEWAY_LOST;
	}
	rc = igd_call(&gateway->igd, &gateway->igd.pinholes,
		"GetPinholePackets", args, NULL, err);
	if (rc < 0)
		return GATEWAY_FAILED;
	if (rc > 0) {
		(void)relay_fail(err, "the gateway no longer has the pinhole");
		return GATEWAY_LOST;
	}
	fill(gateway, wish, out);
	return GATEWAY_DONE;
}

static void unmap(struct gateway *gateway, const struct gateway_wish *wish)
{
	igd_begin(&gateway->igd, wish, UNMAP_MS);
	take_back(gateway);
}

const struct gateway_ops gateway_pinhole = {
	.create = create,
	.destroy = destroy,
	.find = find,
	.map = map,
	.check = check,
	.unmap = unmap,
};
