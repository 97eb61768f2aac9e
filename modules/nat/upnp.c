/* SPDX-License-Identifier: MPL-2.0 */

/* UPnP Internet gateways, by libminiupnpc. */

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <miniupnpc/miniupnpc.h>
#include <miniupnpc/upnpcommands.h>
#include <miniupnpc/upnperrors.h>

#include "upnp.h"

#define DESCRIPTION "strelaysrv"

/* The library asks for so many kinds of device, one after another, and gives
 * each of them a second at least. */
#define KINDS 4

/* Of the protocol. */
#define NO_SUCH_ENTRY  714
#define CONFLICT       718
#define PERMANENT_ONLY 725

struct upnp {
	struct UPNPUrls urls;
	struct IGDdatas data;
	char local[64]; /* our address, as the gateway sees it */
};

struct upnp *upnp_find(int64_t timeout_ms, const char *local)
{
	struct upnp *upnp = calloc(1, sizeof(*upnp));
	struct UPNPDev *devices;
	int error = 0, found = 0;

	if (!upnp)
		return NULL;
	devices =
		upnpDiscover((int)(timeout_ms / KINDS), local[0] ? local : NULL,
			NULL, UPNP_LOCAL_PORT_ANY, 0, 2, &error);
	if (devices) {
		found = UPNP_GetValidIGD(devices, &upnp->urls, &upnp->data,
			upnp->local, sizeof(upnp->local));
		freeUPNPDevlist(devices);
	}
	/* Only there does the relay listen. */
	if (found && local[0])
		(void)snprintf(upnp->local, sizeof(upnp->local), "%s", local);
	/* 2 is a gateway that says it has no connection: some always do. */
	if (found == 1 || found == 2)
		return upnp;
	if (found)
		FreeUPNPUrls(&upnp->urls);
	free(upnp);
	return NULL;
}

void upnp_free(struct upnp *upnp)
{
	if (!upnp)
		return;
	FreeUPNPUrls(&upnp->urls);
	free(upnp);
}

static enum gateway_result fail(struct relay_err *err, const char *what, int rc)
{
	const char *text = strupnperror(rc);

	(void)relay_fail(err, "UPnP %s: %s (%d)", what,
		text ? text : "unknown error", rc);
	return rc == CONFLICT ? GATEWAY_TAKEN : GATEWAY_FAILED;
}

static void port_text(uint16_t port, char out[8])
{
	(void)snprintf(out, 8, "%u", (unsigned)port);
}

/* Who has the port: 0 nobody, 1 we, 2 somebody else, below 0: no answer. */
static int ask_owner(
	struct upnp *upnp, const struct gateway_wish *wish, uint16_t outer_port)
{
	char outer[8], inner[8], client[40] = "", port[8] = "", text[128] = "";
	char enabled[8] = "", lease[24] = "";
	int rc;

	port_text(outer_port, outer);
	port_text(wish->port, inner);
	rc = UPNP_GetSpecificPortMappingEntry(upnp->urls.controlURL,
		upnp->data.first.servicetype, outer, "TCP", NULL, client, port,
		text, enabled, lease);
	if (rc == NO_SUCH_ENTRY)
		return 0;
	if (rc < 0)
		return -1;
	/* Gateways that do not tell are believed. */
	if (rc > 0)
		return 1;
	return strcmp(client, upnp->local) == 0 && strcmp(port, inner) == 0 ? 1
									    : 2;
}

static enum gateway_result ask_address(struct upnp *upnp, uint16_t outer,
	struct sockaddr_in *out, struct relay_err *err)
{
	char text[64] = "";
	int rc = UPNP_GetExternalIPAddress(
		upnp->urls.controlURL, upnp->data.first.servicetype, text);

	if (rc != UPNPCOMMAND_SUCCESS)
		return fail(err, "GetExternalIPAddress", rc);
	*out = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons(outer)};
	/* One that has none yet: clients take the address they dialled. */
	if (inet_pton(AF_INET, text, &out->sin_addr) != 1)
		out->sin_addr.s_addr = INADDR_ANY;
	return GATEWAY_DONE;
}

enum gateway_result upnp_map(struct upnp *upnp, const struct gateway_wish *wish,
	uint16_t outer_port, struct sockaddr_in *out, bool *held,
	struct relay_err *err)
{
	char outer[8], inner[8], lease[24];
	int rc;

	/* Some gateways would take the port from its owner. */
	if (ask_owner(upnp, wish, outer_port) == 2) {
		(void)relay_fail(err, "port %u belongs to another host",
			(unsigned)outer_port);
		return GATEWAY_TAKEN;
	}
	port_text(outer_port, outer);
	port_text(wish->port, inner);
	(void)snprintf(lease, sizeof(lease), "%lld",
		(long long)((wish->lease_ms + 999) / 1000));
	rc = UPNP_AddPortMapping(upnp->urls.controlURL,
		upnp->data.first.servicetype, outer, inner, upnp->local,
		DESCRIPTION, "TCP", NULL, lease);
	if (rc == PERMANENT_ONLY)
		rc = UPNP_AddPortMapping(upnp->urls.controlURL,
			upnp->data.first.servicetype, outer, inner, upnp->local,
			DESCRIPTION, "TCP", NULL, "0");
	if (rc != UPNPCOMMAND_SUCCESS)
		return fail(err, "AddPortMapping", rc);
	*held = true;
	return ask_address(upnp, outer_port, out, err);
}

enum gateway_result upnp_check(struct upnp *upnp,
	const struct gateway_wish *wish, uint16_t outer,
	struct sockaddr_in *out, struct relay_err *err)
{
	int owner = ask_owner(upnp, wish, outer);

	if (owner < 0)
		return fail(err, "GetSpecificPortMappingEntry", owner);
	if (owner != 1) {
		(void)relay_fail(err, "the gateway has forgotten the port");
		return GATEWAY_LOST;
	}
	return ask_address(upnp, outer, out, err);
}

void upnp_unmap(struct upnp *upnp, uint16_t outer)
{
	char text[8];

	port_text(outer, text);
	/* If it does not answer, the lease ends by itself. */
	(void)UPNP_DeletePortMapping(upnp->urls.controlURL,
		upnp->data.first.servicetype, text, "TCP", NULL);
}
