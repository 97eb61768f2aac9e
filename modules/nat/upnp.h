/* SPDX-License-Identifier: MPL-2.0 */

/*
 * upnp.h - UPnP Internet gateways.  All of it blocks.
 */
#ifndef UPNP_H
#define UPNP_H

#include "gateway.h"

struct upnp;

/*
 * Looks for a gateway for about `timeout_ms`, from the local address `local`
 * ("": any).  NULL: there is none.
 */
struct upnp *upnp_find(int64_t timeout_ms, const char *local);
/* Accepts NULL.  A mapping stays. */
void upnp_free(struct upnp *upnp);

/* Maps or renews.  err says why it is not DONE; *held becomes true when the
 * gateway has the mapping, be it of use or not. */
enum gateway_result upnp_map(struct upnp *upnp, const struct gateway_wish *wish,
	uint16_t outer, struct sockaddr_in *out, bool *held,
	struct relay_err *err);
/* Whether it is still there, and what the gateway's address is by now. */
enum gateway_result upnp_check(struct upnp *upnp,
	const struct gateway_wish *wish, uint16_t outer,
	struct sockaddr_in *out, struct relay_err *err);
void upnp_unmap(struct upnp *upnp, uint16_t outer);

#endif
