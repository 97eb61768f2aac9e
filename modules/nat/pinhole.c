/* SPDX-License-Identifier: MPL-2.0 */

/* IPv6: a hole in the gateway's firewall, by UPnP (WANIPv6FirewallControl). */

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <miniupnpc/miniupnpc.h>
#include <miniupnpc/upnpcommands.h>
#include <miniupnpc/upnperrors.h>

#include "gateway.h"
#include "global.h"

#define TCP "6" /* the protocol's number */

/* Asked for one after another, each for a second at least; by IPv6, on the link
 * and on the site. */
static const char *const kinds[] = {
	"urn:schemas-upnp-org:device:InternetGatewayDevice:1",
	"urn:schemas-upnp-org:service:WANIPv6FirewallControl:1",
	NULL,
};
#define SEARCHES 4

/* Of the protocol. */
#define NOT_AUTHORIZED    606
#define FIREWALL_DISABLED 702

#define NAME "UPnP pinhole"

struct gateway {
	bool found;
	struct UPNPUrls urls; /* if found */
	struct IGDdatas data;
	char seen[64]; /* our address, as the gateway sees it */
	struct global own;
	char client[64]; /* for whom the hole was made */
	char id[16];     /* of the hole; "": there is none, nor a need of it */
};

static struct gateway *create(void)
{
	return calloc(1, sizeof(struct gateway));
}

static void forget(struct gateway *gateway)
{
	if (gateway->found)
		FreeUPNPUrls(&gateway->urls);
	gateway->found = false;
}

static void destroy(struct gateway *gateway)
{
	if (gateway)
		forget(gateway);
	free(gateway);
}

static bool has_service(const struct gateway *gateway)
{
	return gateway->urls.controlURL_6FC &&
	       gateway->urls.controlURL_6FC[0] &&
	       gateway->data.IPv6FC.servicetype[0];
}

/* Some let only those ask for a hole who come by IPv6 themselves. */
static bool search(struct gateway *gateway, bool v6, int64_t timeout_ms)
{
	struct UPNPDev *devices;
	int error = 0;

	memset(&gateway->urls, 0, sizeof(gateway->urls));
	memset(&gateway->data, 0, sizeof(gateway->data));
	devices = upnpDiscoverDevices(kinds, (int)(timeout_ms / SEARCHES),
		v6 ? gateway->own.interface : NULL, NULL, UPNP_LOCAL_PORT_ANY,
		v6, 2, &error, 0);
	if (!devices)
		return false;
	/* Whatever kind of device it says it is. */
	gateway->found =
		UPNP_GetValidIGD(devices, &gateway->urls, &gateway->data,
			gateway->seen, sizeof(gateway->seen)) > 0;
	freeUPNPDevlist(devices);
	if (gateway->found && has_service(gateway))
		return true;
	forget(gateway);
	return false;
}

static enum gateway_result find(struct gateway *gateway,
	const struct gateway_wish *wish, struct relay_err *err)
{
	forget(gateway);
	if (global_find(wish->local, &gateway->own, err) != 0)
		return GATEWAY_ABSENT;
	/* By IPv4 there are half as many. */
	if (search(gateway, true, wish->timeout_ms / 2) ||
		search(gateway, false, wish->timeout_ms / 2))
		return GATEWAY_DONE;
	(void)relay_fail(err, "no gateway offers any");
	return GATEWAY_ABSENT;
}

static enum gateway_result fail(struct relay_err *err, const char *what, int rc)
{
	const char *text = strupnperror(rc);

	(void)relay_fail(err, "UPnP %s: %s (%d)", what,
		text ? text : "unknown error", rc);
	return GATEWAY_FAILED;
}

static int add(struct gateway *gateway, const struct gateway_wish *wish,
	const char *client)
{
	char port[8], lease[24], id[16] = "";
	int rc;

	(void)snprintf(port, sizeof(port), "%u", (unsigned)wish->port);
	(void)snprintf(lease, sizeof(lease), "%lld",
		(long long)((wish->lease_ms + 999) / 1000));
	/* Renews the one that there is.  To renew it by its number would, on a
	 * gateway that was reset, renew what is somebody else's by now. */
	rc = UPNP_AddPinhole(gateway->urls.controlURL_6FC,
		gateway->data.IPv6FC.servicetype, "", "0", client, port, TCP,
		lease, id);
	if (rc != UPNPCOMMAND_SUCCESS)
		return rc;
	if (!id[0])
		return UPNPCOMMAND_INVALID_RESPONSE;
	(void)snprintf(gateway->client, sizeof(gateway->client), "%s", client);
	memcpy(gateway->id, id, sizeof(id));
	return rc;
}

static void take_back(struct gateway *gateway)
{
	/* If it does not answer, the lease ends by itself. */
	if (gateway->found && gateway->id[0])
		(void)UPNP_DeletePinhole(gateway->urls.controlURL_6FC,
			gateway->data.IPv6FC.servicetype, gateway->id);
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

/* No firewall: nothing to open, and nothing to take back. */
static int open_to_all(struct gateway *gateway)
{
	gateway->id[0] = '\0';
	memcpy(gateway->client, gateway->own.text, sizeof(gateway->client));
	return UPNPCOMMAND_SUCCESS;
}

static enum gateway_result map(struct gateway *gateway,
	const struct gateway_wish *wish, struct gateway_mapping *out,
	struct relay_err *err)
{
	int enabled = 1, allowed = 1, rc;

	if (global_find(wish->local, &gateway->own, err) != 0)
		return GATEWAY_FAILED;
	/* Some do not answer that, but do the rest. */
	if (UPNP_GetFirewallStatus(gateway->urls.controlURL_6FC,
		    gateway->data.IPv6FC.servicetype, &enabled,
		    &allowed) != UPNPCOMMAND_SUCCESS)
		enabled = allowed = 1;
	if (enabled && !allowed) {
		(void)relay_fail(err, "the gateway lets nobody open any");
		return GATEWAY_FAILED;
	}
	if (strcmp(gateway->client, gateway->own.text) != 0)
		take_back(gateway);
	rc = enabled ? add(gateway, wish, gateway->own.text)
		     : FIREWALL_DISABLED;
	/* Many open holes only to the address from which they are asked. */
	if (rc == NOT_AUTHORIZED && !wish->local[0] &&
		global_is(gateway->seen) &&
		strcmp(gateway->seen, gateway->own.text) != 0)
		rc = add(gateway, wish, gateway->seen);
	if (rc == FIREWALL_DISABLED)
		rc = open_to_all(gateway);
	if (rc != UPNPCOMMAND_SUCCESS)
		return fail(err, "AddPinhole", rc);
	fill(gateway, wish, out);
	return GATEWAY_DONE;
}

static enum gateway_result check(struct gateway *gateway,
	const struct gateway_wish *wish, struct gateway_mapping *out,
	struct relay_err *err)
{
	struct global now;
	int packets, rc;

	if (global_find(wish->local, &now, err) != 0)
		return GATEWAY_FAILED;
	/* Providers give other addresses over night. */
	if (strcmp(now.text, gateway->own.text) != 0) {
		(void)relay_fail(err, "this machine has another address");
		return GATEWAY_LOST;
	}
	rc = UPNP_GetPinholePackets(gateway->urls.controlURL_6FC,
		gateway->data.IPv6FC.servicetype, gateway->id, &packets);
	if (rc < 0)
		return fail(err, "GetPinholePackets", rc);
	if (rc > 0) {
		(void)relay_fail(err, "the gateway has forgotten it");
		return GATEWAY_LOST;
	}
	fill(gateway, wish, out);
	return GATEWAY_DONE;
}

static void unmap(struct gateway *gateway, const struct gateway_wish *wish)
{
	(void)wish;
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
