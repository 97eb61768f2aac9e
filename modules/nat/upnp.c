/* SPDX-License-Identifier: MPL-2.0 */

/* Maps a port of an Internet gateway by UPnP. */

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "upnp.h"

#define DESCRIPTION "strelaysrv"

/* Of the protocol. */
#define NO_SUCH_ENTRY  714
#define CONFLICT       718
#define PERMANENT_ONLY 725

static bool maps_ports(const struct igd *igd)
{
	return igd->ports.type[0] != '\0';
}

static bool is_connected(
	const struct igd *igd, const struct igd_service *service)
{
	struct answer answer;
	struct relay_err err;
	char status[24] = "";

	if (igd_call(igd, service, "GetStatusInfo", NULL, &answer, &err) == 0)
		(void)igd_value(
			&answer, "NewConnectionStatus", status, sizeof(status));
	answer_free(&answer);
	return strcmp(status, "Connected") == 0;
}

int upnp_find(struct igd *igd, const struct gateway_wish *wish, int64_t end_ms,
	struct relay_err *err)
{
	static const char *const kinds[] = {
		"urn:schemas-upnp-org:device:InternetGatewayDevice:1",
		"urn:schemas-upnp-org:device:InternetGatewayDevice:2",
		"urn:schemas-upnp-org:service:WANIPConnection:1",
		"upnp:rootdevice",
		NULL,
	};
	const struct igd_search search = {
		.family = AF_INET, .kinds = kinds, .fits = maps_ports};

	if (igd_find(igd, &search, wish, end_ms, err) != 0)
		return -1;
	/*
	 * The relay listens only on that address.  Many gateways map ports
	 * only for the address that asks.
	 */
	if (wish->local[0]) {
		(void)snprintf(
			igd->local, sizeof(igd->local), "%s", wish->local);
		(void)snprintf(
			igd->source, sizeof(igd->source), "%s", wish->local);
	}
	/* Some have several connection services, of which one is in use. */
	if (igd->spare.type[0] && !is_connected(igd, &igd->ports) &&
		is_connected(igd, &igd->spare))
		igd->ports = igd->spare;
	return 0;
}

static enum gateway_result result_of(int rc)
{
	return rc == CONFLICT ? GATEWAY_TAKEN : GATEWAY_FAILED;
}

static void port_text(uint16_t port, char out[8])
{
	(void)snprintf(out, 8, "%u", (unsigned)port);
}

/*
 * The owner of the port: 0 none, 1 this host, 2 another; negative: no answer.
 */
static int ask_owner(const struct igd *igd, const struct gateway_wish *wish,
	uint16_t outer_port, struct relay_err *err)
{
	char outer[8], inner[8], client[40] = "", port[8] = "";
	const struct igd_arg args[] = {{"NewRemoteHost", ""},
		{"NewExternalPort", outer}, {"NewProtocol", "TCP"},
		{NULL, NULL}};
	struct answer answer;
	int rc;

	port_text(outer_port, outer);
	port_text(wish->port, inner);
	rc = igd_call(igd, &igd->ports, "GetSpecificPortMappingEntry", args,
		&answer, err);
	if (rc == 0) {
		(void)igd_value(
			&answer, "NewInternalClient", client, sizeof(client));
		(void)igd_value(&answer, "NewInternalPort", port, sizeof(port));
	}
	answer_free(&answer);
	if (rc == NO_SUCH_ENTRY)
		return 0;
	if (rc < 0)
		return -1;
	/* Gateways that do not report it are trusted. */
	if (rc > 0)
		return 1;
	return strcmp(client, igd->local) == 0 && strcmp(port, inner) == 0 ? 1
									   : 2;
}

static enum gateway_result ask_address(const struct igd *igd, uint16_t outer,
	struct sockaddr_in *out, struct relay_err *err)
{
	struct answer answer;
	char text[64] = "";
	int rc = igd_call(
		igd, &igd->ports, "GetExternalIPAddress", NULL, &answer, err);

	if (rc == 0 && igd_value(&answer, "NewExternalIPAddress", text,
			       sizeof(text)) != 0)
		rc = relay_fail(err,
			"UPnP GetExternalIPAddress: the answer has no address");
	answer_free(&answer);
	if (rc != 0)
		return result_of(rc);
	*out = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons(outer)};
	/*
	 * The gateway has no address yet: clients use the address they connect
	 * to.
	 */
	if (inet_pton(AF_INET, text, &out->sin_addr) != 1)
		out->sin_addr.s_addr = INADDR_ANY;
	return GATEWAY_DONE;
}

static int add_mapping(const struct igd *igd, const char *outer,
	const char *inner, const char *lease, struct relay_err *err)
{
	const struct igd_arg args[] = {{"NewRemoteHost", ""},
		{"NewExternalPort", outer}, {"NewProtocol", "TCP"},
		{"NewInternalPort", inner}, {"NewInternalClient", igd->local},
		{"NewEnabled", "1"}, {"NewPortMappingDescription", DESCRIPTION},
		{"NewLeaseDuration", lease}, {NULL, NULL}};

	return igd_call(igd, &igd->ports, "AddPortMapping", args, NULL, err);
}

enum gateway_result upnp_map(const struct igd *igd,
	const struct gateway_wish *wish, uint16_t outer_port,
	struct sockaddr_in *out, bool *held, struct relay_err *err)
{
	char outer[8], inner[8], lease[24];
	int rc;

	/* Some gateways would reassign the port of another host. */
	if (ask_owner(igd, wish, outer_port, err) == 2) {
		(void)relay_fail(err, "port %u belongs to another host",
			(unsigned)outer_port);
		return GATEWAY_TAKEN;
	}
	port_text(outer_port, outer);
	port_text(wish->port, inner);
	(void)snprintf(lease, sizeof(lease), "%lld",
		(long long)((wish->lease_ms + 999) / 1000));
	rc = add_mapping(igd, outer, inner, lease, err);
	if (rc == PERMANENT_ONLY)
		rc = add_mapping(igd, outer, inner, "0", err);
	if (rc != 0)
		return result_of(rc);
	*held = true;
	return ask_address(igd, outer_port, out, err);
}

enum gateway_result upnp_check(const struct igd *igd,
	const struct gateway_wish *wish, uint16_t outer,
	struct sockaddr_in *out, struct relay_err *err)
{
	int owner = ask_owner(igd, wish, outer, err);

	if (owner < 0)
		return GATEWAY_FAILED;
	if (owner != 1) {
		(void)relay_fail(err, "the gateway no longer maps the port");
		return GATEWAY_LOST;
	}
	return ask_address(igd, outer, out, err);
}

void upnp_unmap(const struct igd *igd, uint16_t outer)
{
	char text[8];
	const struct igd_arg args[] = {{"NewRemoteHost", ""},
		{"NewExternalPort", text}, {"NewProtocol", "TCP"},
		{NULL, NULL}};
	struct relay_err err;

	port_text(outer, text);
	/* If the gateway does not answer, the lease expires. */
	(void)igd_call(igd, &igd->ports, "DeletePortMapping", args, NULL, &err);
}
