/* SPDX-License-Identifier: MPL-2.0 */

/*
 * upnp.h - maps a port of an Internet gateway by UPnP.  All functions block;
 * see igd_begin() for how long.
 */
#ifndef UPNP_H
#define UPNP_H

#include "gateway.h"
#include "igd.h"

/*
 * Searches for a gateway that can map ports, until `end_ms`.  0, or -1 with
 * err.
 */
int upnp_find(struct igd *igd, const struct gateway_wish *wish, int64_t end_ms,
	struct relay_err *err);

/*
 * Maps or renews. err is filled unless DONE; *held becomes true if the gateway
 * has the mapping, even if it is not usable.
 */
enum gateway_result upnp_map(const struct igd *igd,
	const struct gateway_wish *wish, uint16_t outer,
	struct sockaddr_in *out, bool *held, struct relay_err *err);
/*
 * Checks whether the mapping still exists, and reads the gateway's current
 * address.
 */
enum gateway_result upnp_check(const struct igd *igd,
	const struct gateway_wish *wish, uint16_t outer,
	struct sockaddr_in *out, struct relay_err *err);
void upnp_unmap(const struct igd *igd, uint16_t outer);

#endif
