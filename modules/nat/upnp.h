/* SPDX-License-Identifier: MPL-2.0 */

/*
 * upnp.h - a port of an Internet gateway, by UPnP.  All of it blocks; see
 * igd_begin() for how long.
 */
#ifndef UPNP_H
#define UPNP_H

#include "gateway.h"
#include "igd.h"

/* Looks for a gateway that maps ports, until `end_ms`.  0, or -1 with err. */
int upnp_find(struct igd *igd, const struct gateway_wish *wish, int64_t end_ms,
	struct relay_err *err);

/* Maps or renews.  err says why it is not DONE; *held becomes true when the
 * gateway has the mapping, be it of use or not. */
enum gateway_result upnp_map(const struct igd *igd,
	const struct gateway_wish *wish, uint16_t outer,
	struct sockaddr_in *out, bool *held, struct relay_err *err);
/* Whether it is still there, and what the gateway's address is by now. */
enum gateway_result upnp_check(const struct igd *igd,
	const struct gateway_wish *wish, uint16_t outer,
	struct sockaddr_in *out, struct relay_err *err);
void upnp_unmap(const struct igd *igd, uint16_t outer);

#endif
