/* SPDX-License-Identifier: MPL-2.0 */

/* This relay. */

#include <string.h>

#include "endpoint/own.h"

/* The relay writes this where it knows no address.  A pool puts there the one
 * that the relay comes from; a client cannot. */
#define NO_HOST "relay://0.0.0.0:"

static enum own_standing stand(struct relay_ctx *cx, struct own *out)
{
	struct relay_ctx *self;
	const struct relay_service *relay = relay_service_find(
		cx, RELAY_SERVICE, RELAY_SERVICE_VERSION, &self);

	if (!relay || relay->uri(self, out->uri, sizeof(out->uri)) != 0)
		return OWN_NO_URI;
	if (strncmp(out->uri, NO_HOST, strlen(NO_HOST)) == 0)
		return OWN_NO_HOST;
	if (relay->is_private(self))
		return OWN_TOKEN;
	/* In an upgrade the new process takes the clients. */
	out->closed = relay_closed();
	if (out->closed)
		return OWN_CLOSED;
	return relay_at_limit() ? OWN_FULL : OWN_LISTED;
}

void own_look(struct relay_ctx *cx, struct own *out)
{
	out->uri[0] = '\0';
	out->closed = NULL;
	out->standing = stand(cx, out);
}

const char *own_why(const struct own *own)
{
	static const char *const why[OWN_STANDINGS] = {
		[OWN_LISTED] = "",
		[OWN_FULL] = "it has as many connections as it may have",
		[OWN_TOKEN] = "it needs a token, which clients of a list do "
			      "not have",
		[OWN_NO_HOST] = "its URI names no address; set ext-address",
		[OWN_NO_URI] = "it has no URI",
	};

	return own->standing == OWN_CLOSED ? own->closed : why[own->standing];
}
